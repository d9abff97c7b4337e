"""Published rows beside a run's."""
import pytest

from mmwsss.apis.photo_records import PhotoRecord, PhotoRecords
from mmwsss.apis.report.published import published_section
from mmwsss.apis.report.runs import Part, Run
from mmwsss.datasets.voc12 import VOC12Dataset
from mmwsss.files.masks import MaskClasses

NAMES = list(VOC12Dataset.METAINFO['classes'])


def section(photos, classes=NAMES, scored=NAMES, **scores):
    photo = PhotoRecord('a', '/a.jpg', None, None, [], [])
    records = PhotoRecords(classes, [], MaskClasses(21), '/', [photo] * photos)
    part = Part('test', '/x', scores=dict(
        scores, mIoU=70., IoU=dict.fromkeys(scored, 1.)), records=records)
    return published_section(Run('a', '/x', [part]))


def test_published_rows_stand_beside_the_same_protocol():
    table = section(1449).blocks[0]
    rows = {row[0]: row for row in table.rows}
    assert rows['this run, test'][2] == 70.
    assert rows['IRNet'][2] == 63.5 and 'README' in rows['ToCo'][3]
    assert "CAM (PSA's)" not in rows
    assert "CAM (PSA's)" in [row[0] for row in section(
        1464, mIoU_curve={}).blocks[0].rows]


@pytest.mark.parametrize('photos, scored, reason', [
    (222, NAMES, 'test: scored on 222 photos, papers on 1,449'),
    (1449, NAMES[:7], 'test: scored over 7 classes, papers over 21')])
def test_they_are_left_out_where_it_differs(photos, scored, reason):
    [text] = section(photos, scored=scored).blocks
    assert reason in text.text


def test_other_data_sets_have_none():
    assert section(1449, classes=['background', 'cat']) is None
