"""The numbers of a run, in JSON that any program reads."""
from mmengine.visualization import LocalVisBackend as _Backend

from mmwsss.files.json_files import finite
from mmwsss.registry import VISBACKENDS


@VISBACKENDS.register_module()
class LocalVisBackend(_Backend):
    """mmengine's, but a number that is not finite is written as null.

    JSON has no NaN; the score of a class that does not occur is one.
    """

    def _dump(self, value_dict: dict, file_path: str,
              file_format: str) -> None:
        super()._dump(finite(value_dict), file_path, file_format)
