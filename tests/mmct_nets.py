"""A small MMCT and its samples."""
import torch
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample
from shapes import tiny_model

from mmwsss.registry import MODELS


def build_mmct(**kwargs):
    """The network of :func:`shapes.tiny_model`, in evaluation."""
    torch.manual_seed(0)
    model = MODELS.build(tiny_model(**kwargs))
    model.init_weights()
    return model.eval()


def samples(*labels):
    """Samples that carry these image-level labels."""
    result = []
    for label in labels:
        sample = SegDataSample()
        sample.gt_label = LabelData(label_onehot=torch.tensor(label).float())
        result.append(sample)
    return result
