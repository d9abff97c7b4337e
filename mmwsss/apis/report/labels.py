"""Labels of photos whose own data set knows none."""
from .runs import Run


def share_labels(run: Run) -> None:
    """Give photos without labels those that another stage has of them.

    The data set that tests a segmentor has no image-level labels, while the
    stages before it have those of the same photos.

    Args:
        run (Run): With the records of its photos, which are changed.
    """
    every = [part.records for part in run.parts if part.records is not None]
    known = {(tuple(records.classes), photo.photo): photo.labels
             for records in every for photo in records.photos
             if photo.labels is not None}
    for records in every:
        for photo in records.photos:
            if photo.labels is None:
                photo.labels = known.get((tuple(records.classes),
                                          photo.photo))
