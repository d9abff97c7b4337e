"""What learned affinities share: maps in, walked maps out."""
from abc import abstractmethod
from typing import Callable, Dict, List, Optional, Union

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor
from torchvision.transforms.functional import resize

from mmwsss.registry import MODELS


class BaseAffinity(BaseModel):
    """A network that tells where class maps may spread to.

    It learns from confident labels (``gt_sem_seg``, made from maps by
    ``ConfidentLabels``; never the true masks) and applies what it learned to
    the maps that ride on the samples as ``seed_maps``. A method implements
    :meth:`loss` and :meth:`walk`.

    Args:
        backbone (dict): Config of a backbone with ``tap_channels`` and
            ``tap_strides``.
        data_preprocessor (dict): Config of the data preprocessor.
        test_cfg (dict, optional): Options of the random walk, and ``scale``
            (float): the network sees the image, and maps walk, enlarged by
            this. Defaults to 1.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    stride: int
    """Pixels of the image per node of the walk."""

    def __init__(self,
                 backbone: dict,
                 data_preprocessor: dict,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.test_cfg = dict(test_cfg or {})
        self.scale = self.test_cfg.pop('scale', 1.)

    @abstractmethod
    def loss(self, inputs: Tensor,
             data_samples: List[SegDataSample]) -> Dict[str, Tensor]:
        """Losses of a batch, from its confident labels."""

    @abstractmethod
    def walk(self, inputs: Tensor, maps: Tensor) -> Tensor:
        """Spread maps over the nodes.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            maps (Tensor): In [0, 1], (B, K, h, w) with h = ceil(H / stride);
                classes that an image lacks are 0.

        Returns:
            Tensor: (B, K, h, w).
        """

    def forward(self,
                inputs: Tensor,
                data_samples: Optional[List[SegDataSample]] = None,
                mode: str = 'predict'
                ) -> Union[Dict[str, Tensor], List[SegDataSample]]:
        """Mmengine's interface.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            data_samples (list[SegDataSample]): Of the images.
            mode (str): 'loss', or 'predict' and 'localize', which are one
                here: nothing but maps is predicted.

        Raises:
            ValueError: For another mode.
        """
        methods: Dict[str, Callable] = dict(
            loss=self.loss, predict=self.predict, localize=self.predict)
        if mode not in methods:
            raise ValueError(f'mode {mode!r}: use one of {tuple(methods)}')
        return methods[mode](inputs, data_samples)

    def predict(self, inputs: Tensor,
                data_samples: List[SegDataSample]) -> List[SegDataSample]:
        """Fill ``pred_maps`` with the refined ``seed_maps``.

        ``pred_maps`` is ``PixelData`` with ``data`` (K, H, W) at the size of
        the input and metainfo ``labels``, the K 0-based classes.
        """
        refined = self.refine(
            inputs, [sample.seed_maps.data for sample in data_samples])
        for sample, maps in zip(data_samples, refined):
            sample.set_field(
                PixelData(metainfo=dict(labels=sample.seed_maps.labels),
                          data=maps), 'pred_maps')
        return data_samples

    @torch.no_grad()
    def refine(self, inputs: Tensor, all_maps: List[Tensor]) -> List[Tensor]:
        """Maps that have walked.

        Args:
            inputs (Tensor): Normalised images, (B, 3, H, W).
            all_maps (list[Tensor]): Of each image, in [0, 1], (K, H, W); K
                may differ.

        Returns:
            list[Tensor]: As ``all_maps``; the largest value of an image that
            has classes is 1 where the method does not say otherwise.
        """
        most = max(map(len, all_maps))
        if not most:
            return all_maps
        maps = torch.stack([F.pad(one, (0, 0, 0, 0, 0, most - len(one)))
                            for one in all_maps])  # (B, K, H, W)
        size = maps.shape[-2:]
        larger = [round(side * self.scale) for side in size]
        inputs, maps = (resize(x, larger) for x in (inputs, maps))
        fill = (0, -larger[1] % self.stride, 0, -larger[0] % self.stride)
        nodes = F.avg_pool2d(F.pad(maps, fill, mode='replicate'), self.stride)
        walked = F.interpolate(self.walk(inputs, nodes),
                               scale_factor=self.stride, mode='bilinear')
        walked = resize(walked[..., :larger[0], :larger[1]], size)
        return [one[:len(before)].clamp(0, 1)
                for one, before in zip(walked, all_maps)]

    def node_labels(self, data_samples: List[SegDataSample]) -> Tensor:
        """The label in the middle of each node, (B, h, w)."""
        labels = torch.stack([s.gt_sem_seg.data[0] for s in data_samples])
        middle = self.stride // 2
        return labels[:, middle::self.stride, middle::self.stride].long()


def relative_to_strongest(maps: Tensor) -> Tensor:
    """Divide the maps of each image by their largest value, (B, K, h, w)."""
    return maps / maps.amax((1, 2, 3), keepdim=True).clamp(min=1e-12)
