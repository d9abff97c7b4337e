"""IRN: class boundaries and displacements, learned from maps."""
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.ops import random_walk
from mmwsss.registry import MODELS

from .base import BaseAffinity, relative_to_strongest


def _projection(in_channels: int, channels: int,
                groups: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, channels, 1, bias=False),
                         nn.GroupNorm(groups, channels))


@MODELS.register_module()
class IRN(BaseAffinity):
    """Inter-pixel relation network.

    Ahn, Cho, Kwak: "Weakly Supervised Learning of Instance Segmentation with
    Inter-pixel Relations", CVPR 2019. Widths and the order of the layers are
    the published code's. Maps walk where no boundary stops them; the
    displacements serve the training here, and instance segmentation for those
    who want it (:meth:`relations`).

    Args:
        backbone (dict): Config of a backbone with five taps, the first of
            stride 4, the others of a multiple of it.
        data_preprocessor (dict): Config of the data preprocessor.
        loss (dict, optional): Config of the loss. Defaults to
            ``AffinityDisplacementLoss``.
        test_cfg (dict, optional): With the keys

            - ``radius``, ``beta``, ``exp_times``: See
              :func:`mmwsss.ops.random_walk`.
            - ``scale``: See :class:`BaseAffinity`.
            - ``skip_edges`` (bool): Nodes on a boundary are left out of the
              means. In the published walk they count as 0, which wears away
              whatever is not much wider than its boundary. Defaults to
              False, as published.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    stride = 4

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: dict,
                 loss: Optional[dict] = None,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(backbone, data_preprocessor, test_cfg, init_cfg)
        channels = tuple(self.backbone.tap_channels)
        self.factors = [s / self.stride for s in self.backbone.tap_strides]
        if len(channels) != 5 or self.factors[0] != 1 or any(
                factor % 1 for factor in self.factors):
            raise ValueError(
                'IRN needs five taps, the first of stride 4, the others of '
                f'multiples of 4; {type(self.backbone).__name__} has strides '
                f'{tuple(self.backbone.tap_strides)}')
        self.edge_taps = nn.ModuleList(
            _projection(c, 32, 4) for c in channels)
        self.edge_out = nn.Conv2d(5 * 32, 1, 1)
        self.displacement_taps = nn.ModuleList(
            _projection(c, *size) for c, size in zip(
                channels, [(64, 8), (128, 16), *[(256, 16)] * 3]))
        self.displacement_deep = _projection(3 * 256, 256, 16)
        self.displacement_out = nn.Sequential(
            *_projection(64 + 128 + 256, 256, 16), nn.ReLU(),
            nn.Conv2d(256, 2, 1, bias=False))
        self.register_buffer('displacement_mean', torch.zeros(2))
        self.loss_module = MODELS.build(
            dict(dict(type='AffinityDisplacementLoss'), **(loss or {})))

    def relations(self, inputs: Tensor) -> Tuple[Tensor, Tensor]:
        """Boundary logits and displacements at a quarter of the size.

        In evaluation the stored mean displacement is taken off.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).

        Returns:
            tuple[Tensor, Tensor]: Logits, (B, 1, h, w), and displacements
            (down, right) in nodes, (B, 2, h, w), with h = ceil(H / 4).
        """
        size, taps = self._grid(inputs), self._taps(inputs)
        return self._edge(taps, size), self._displacement(taps, size)

    def _grid(self, inputs: Tensor) -> List[int]:
        """Rows and columns of nodes."""
        return [-(-side // self.stride) for side in inputs.shape[-2:]]

    def _taps(self, inputs: Tensor) -> List[Tensor]:
        """The backbone's maps; the deepest step by 16 pixels."""
        fill = [-side % 16 for side in inputs.shape[-2:]]
        return self.backbone(F.pad(inputs, (0, fill[1], 0, fill[0])))

    def _edge(self, taps: List[Tensor], size: List[int]) -> Tensor:
        edges = [F.relu(_enlarge(project(tap), factor, size)) for
                 project, tap, factor in
                 zip(self.edge_taps, taps, self.factors)]
        return self.edge_out(torch.cat(edges, dim=1))

    def _displacement(self, taps: List[Tensor], size: List[int]) -> Tensor:
        first, second, *deep = [
            project(tap) for project, tap in zip(self.displacement_taps, taps)]
        deep_size = deep[0].shape[-2:]
        deep = [F.relu(_enlarge(x, factor / self.factors[2], deep_size))
                for x, factor in zip(deep, self.factors[2:])]
        deep = self.displacement_deep(torch.cat(deep, dim=1))
        maps = [_enlarge(x, factor, size) for x, factor in
                zip((first, second, deep), self.factors)]
        displacement = self.displacement_out(F.relu(torch.cat(maps, dim=1)))
        if not self.training:
            displacement = displacement - self.displacement_mean.view(2, 1, 1)
        return displacement

    def loss(self, inputs: Tensor,
             data_samples: List[SegDataSample]) -> Dict[str, Tensor]:
        """Affinity and displacement losses, in float32."""
        edge, displacement = self.relations(inputs)
        labels = self.node_labels(data_samples)
        with torch.autocast(inputs.device.type, enabled=False):
            return self.loss_module(edge.float(), displacement.float(),
                                    labels)

    def boundaries(self, inputs: Tensor) -> Tensor:
        """Class boundaries, as in the published inference.

        Logits are averaged with those of the mirrored images.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).

        Returns:
            Tensor: In [0, 1], (B, h, w), with h = ceil(H / 4).
        """
        edge = self._edge(self._taps(torch.cat([inputs, inputs.flip(-1)])),
                          self._grid(inputs))
        plain, mirrored = edge[:, 0].chunk(2)
        return (plain / 2 + mirrored.flip(-1) / 2).sigmoid()

    def walk(self, inputs: Tensor, maps: Tensor) -> Tensor:
        """Walk within the boundaries; the strongest value becomes 1."""
        options = dict(self.test_cfg)
        skip_edges = options.pop('skip_edges', False)
        edge = self.boundaries(inputs)
        if not skip_edges:
            return relative_to_strongest(random_walk(maps, edge, **options))
        ones = torch.ones_like(maps[:, :1])
        walked = random_walk(torch.cat([maps, ones], dim=1), edge, **options)
        return relative_to_strongest(
            walked[:, :-1] / walked[:, -1:].clamp(min=1e-12))


def _enlarge(maps: Tensor, factor: float, size: List[int]) -> Tensor:
    """Enlarge by a whole factor, then cut to ``size``."""
    if factor > 1:
        maps = F.interpolate(maps, scale_factor=factor, mode='bilinear')
    return maps[..., :size[0], :size[1]]
