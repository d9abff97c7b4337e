"""From a pipeline's dict to a SegDataSample with image-level labels."""
from typing import Sequence

import torch
from mmengine.structures import LabelData, PixelData
from mmseg.datasets.transforms import PackSegInputs

from mmwsss.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackImageLevelInputs(PackSegInputs):
    """mmseg's ``PackSegInputs`` plus the image-level labels.

    Adds ``gt_label.label_onehot``, a float tensor (C,), and, where the data
    set has them, ``image_embedding``, a float tensor (E,), and ``seed_maps``,
    (K, H, W) with the metainfo ``labels``, its K classes. Views of
    ``PhotometricView`` become uint8 tensors (3, H, W), BGR.

    Args:
        meta_keys (Sequence[str]): Keys that are kept as metainfo. Defaults
            to those that tools and metrics read.
    """

    def __init__(self,
                 meta_keys: Sequence[str] = (
                     'sample_id', 'img_path', 'seg_map_path', 'ori_shape',
                     'img_shape', 'flip', 'flip_direction')) -> None:
        super().__init__(meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack one sample."""
        packed = super().transform(results)
        sample = packed['data_samples']
        label = torch.as_tensor(results['gt_label'], dtype=torch.float32)
        sample.set_field(LabelData(label_onehot=label), 'gt_label')
        if 'image_embedding' in results:
            sample.set_field(
                torch.as_tensor(results['image_embedding']),
                'image_embedding')
        for name in ('second_view', 'local_view'):
            if name in results:
                view = torch.from_numpy(results[name]).permute(2, 0, 1)
                sample.set_field(view.contiguous(), name)
        if 'seed_maps' in results:
            labels = results['seed_labels'].tolist()
            sample.set_field(
                PixelData(metainfo=dict(labels=labels),
                          data=torch.from_numpy(results['seed_maps'])),
                'seed_maps')
        return packed
