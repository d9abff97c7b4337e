"""PSA's AffinityNet: features alike within a class, learned from maps."""
from typing import Dict, List, Optional, Sequence

import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.ops import affinity_walk, feature_affinity
from mmwsss.registry import MODELS

from .base import BaseAffinity


@MODELS.register_module()
class PSA(BaseAffinity):
    """AffinityNet of pixel-level semantic affinity.

    Ahn, Kwak: "Learning Pixel-level Semantic Affinity with Image-level
    Supervision for Weakly Supervised Semantic Segmentation", CVPR 2018.
    Background walks with the classes; a refined map is the class's share
    against background, ``p / (p + p_background)``: above 0.5 where the class
    wins.

    Args:
        backbone (dict): Config of a backbone; its last taps are used, as many
            as there are ``widths``.
        data_preprocessor (dict): Config of the data preprocessor.
        widths (Sequence[int]): Channels taken from each tap. Defaults to the
            published (64, 128, 256).
        loss (dict, optional): Config of the loss. Defaults to
            ``PairAffinityLoss``.
        test_cfg (dict, optional): With the keys

            - ``alpha`` (float): Background is ``(1 - strongest map) **
              alpha``. Defaults to the published 16.
            - ``background`` (float): A constant instead, as MCTformer has
              it, for maps that are not near 0 on background.
            - ``radius``, ``beta``, ``exp_times``: See
              :func:`mmwsss.ops.affinity_walk`. Default to the published 5, 8
              and 8.
            - ``scale``: See :class:`BaseAffinity`.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    stride = 8

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: dict,
                 widths: Sequence[int] = (64, 128, 256),
                 loss: Optional[dict] = None,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(
            backbone, data_preprocessor,
            dict(dict(alpha=16., radius=5, beta=8., exp_times=8),
                 **(test_cfg or {})), init_cfg)
        channels = tuple(self.backbone.tap_channels)
        if len(widths) > len(channels):
            raise ValueError(f'PSA.widths={tuple(widths)}: '
                             f'{type(self.backbone).__name__} has '
                             f'{len(channels)} taps')
        self.taps = nn.ModuleList(
            nn.Conv2d(c, width, 1, bias=False) for c, width in
            zip(channels[-len(widths):], widths))
        total = sum(widths)
        self.joint = nn.Conv2d(total, total, 1, bias=False)
        self.loss_module = MODELS.build(
            dict(dict(type='PairAffinityLoss'), **(loss or {})))

    def init_weights(self) -> None:
        """As published: Kaiming for the taps, Xavier (gain 4) for the rest."""
        super().init_weights()
        for tap in self.taps:
            nn.init.kaiming_normal_(tap.get_parameter('weight'))
        nn.init.xavier_uniform_(self.joint.weight, gain=4)

    def features(self, inputs: Tensor) -> Tensor:
        """What affinities are read from.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).

        Returns:
            Tensor: (B, sum of ``widths``, ceil(H / 8), ceil(W / 8)).
        """
        size = [-(-side // self.stride) for side in inputs.shape[-2:]]
        maps = self.backbone(inputs)[-len(self.taps):]
        maps = [F.elu(tap(x)) for tap, x in zip(self.taps, maps)]
        maps = [x if list(x.shape[-2:]) == size else
                F.interpolate(x, size, mode='bilinear') for x in maps]
        return F.elu(self.joint(torch.cat(maps, dim=1)))

    def loss(self, inputs: Tensor,
             data_samples: List[SegDataSample]) -> Dict[str, Tensor]:
        """Affinity losses, in float32."""
        features = self.features(inputs)
        labels = self.node_labels(data_samples)
        with torch.autocast(inputs.device.type, enabled=False):
            return self.loss_module(features.float(), labels)

    def walk(self, inputs: Tensor, maps: Tensor) -> Tensor:
        """Walk along the affinities; take shares against background."""
        options = dict(self.test_cfg)
        alpha, constant = options.pop('alpha'), options.pop('background', None)
        affinity = feature_affinity(self.features(inputs), options['radius'])
        if constant is None:
            background = (1 - maps.amax(1, keepdim=True))**alpha
        else:
            background = torch.full_like(maps[:, :1], constant)
        walked = affinity_walk(torch.cat([background, maps], dim=1), affinity,
                               **options)
        return walked[:, 1:] / (walked[:, 1:] + walked[:, :1]).clamp(
            min=1e-12)
