"""MS COCO 2014: classes and colours."""
from mmseg.datasets import PascalVOCDataset

from mmwsss.datasets.class_prompts import COCO80, get_class_prompts
from mmwsss.datasets.coco14 import METAINFO, voc_colours


def test_classes_and_palette():
    assert METAINFO['classes'] == ('background', *COCO80)
    palette = METAINFO['palette']
    assert len(palette) == 81 == len(set(map(tuple, palette)))
    assert palette[:21] == PascalVOCDataset.METAINFO['palette']
    assert voc_colours(256)[255] == [224, 224, 192]  # VOC's border
    assert get_class_prompts('coco') == COCO80
