"""The CNNs of timm, tapped at several depths."""
from typing import Any, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmwsss.files.checkpoints import backbone_weights
from mmwsss.models.pretrained import load_named_weights
from mmwsss.problems import ConfigError, unknown_name
from mmwsss.registry import MODELS


@MODELS.register_module()
class TIMMTaps(BaseModule):
    """Feature maps of several depths of any network of timm's.

    timm (https://github.com/huggingface/pytorch-image-models) is an extra:
    ``pip install "mmwsss[timm]"``. Its ``features_only`` makes the network;
    its weights come through ``pretrained`` and are never downloaded by timm.

    Args:
        model_name (str): timm's name of the network, such as
            ``tf_efficientnet_lite0``.
        pretrained (str, optional): Path or URL of weights with timm's names,
            with or without a classifier. Defaults to None.
        output_stride (int, optional): The largest stride; deeper stages are
            dilated instead. Not every network can. Defaults to None, as the
            network is.
        min_stride (int): Finer taps are averaged to this stride. Defaults to
            4, as IRN needs it.
        out_indices (Sequence[int], optional): Which of timm's depths are
            tapped. Defaults to None, all.
        frozen_stages (int): Depths that are not trained, from the first (0)
            on; -1 trains all. Defaults to -1.
        norm_eval (bool): Whether batch norms keep to their statistics in
            training. Defaults to True.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
        **kwargs: See timm's ``create_model``.

    Raises:
        ConfigError: If timm is not installed, does not know the network or
            cannot make it so.
    """

    def __init__(self,
                 model_name: str,
                 pretrained: Optional[str] = None,
                 output_stride: Optional[int] = None,
                 min_stride: int = 4,
                 out_indices: Optional[Sequence[int]] = None,
                 frozen_stages: int = -1,
                 norm_eval: bool = True,
                 init_cfg: Optional[dict] = None,
                 **kwargs: Any) -> None:
        super().__init__(init_cfg)
        if output_stride is not None:
            kwargs['output_stride'] = output_stride
        if out_indices is not None:
            kwargs['out_indices'] = tuple(out_indices)
        self.net = timm_network(model_name, features_only=True, **kwargs)
        # Depth-wise convolutions on a CPU take two thirds of the time so.
        self.net.to(memory_format=torch.channels_last)
        self.pretrained = pretrained
        self.norm_eval = norm_eval
        info: Any = self.net.feature_info
        self._strides: List[int] = info.reduction()
        self.tap_channels: Tuple[int, ...] = tuple(info.channels())
        self.tap_strides = tuple(max(s, min_stride) for s in self._strides)
        wrong = [s for s in self._strides if max(s, min_stride) % s]
        if wrong:
            raise ConfigError(f'{model_name}: min_stride={min_stride} is no '
                              f'multiple of its stride {wrong[0]}')
        self._freeze(frozen_stages)

    def _freeze(self, stages: int) -> None:
        """Freeze what the tap of a stage depends on, in any network."""
        if stages < 0:
            return
        if stages >= len(self.tap_strides):
            raise ConfigError(f'frozen_stages={stages}: the network has the '
                              f'stages 0 to {len(self.tap_strides) - 1}')
        parameters = list(self.net.parameters())
        self.net.eval()  # batch norms learn nothing from this
        tap = self.net(torch.ones(1, 3, 64, 64))[stages]
        slopes = torch.autograd.grad(tap.sum(), parameters, allow_unused=True)
        self.net.train()
        for parameter, slope in zip(parameters, slopes):
            parameter.requires_grad_(slope is None)

    def init_weights(self) -> None:
        """Initialise as timm does, then read ``pretrained`` where given."""
        super().init_weights()
        if self.pretrained is not None:
            load_named_weights(
                self.net, timm_names(self.net, backbone_weights(
                    self.pretrained)), self.pretrained)

    def train(self, mode: bool = True) -> 'TIMMTaps':
        """Set the mode; with ``norm_eval`` batch norms stay in evaluation."""
        super().train(mode)
        if mode and self.norm_eval:
            for module in self.net.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def forward(self, images: Tensor) -> List[Tensor]:
        """Feature maps of several depths.

        Args:
            images (Tensor): Normalised images, (B, 3, H, W).

        Returns:
            list[Tensor]: Of ``tap_channels`` and ``tap_strides``.
        """
        taps = self.net(images.contiguous(memory_format=torch.channels_last))
        factors = [wanted // own for wanted, own in
                   zip(self.tap_strides, self._strides)]
        return [tap if factor == 1 else
                F.avg_pool2d(tap, factor, ceil_mode=True)
                for tap, factor in zip(taps, factors)]


def timm_network(model_name: str, **kwargs: Any) -> nn.Module:
    """A network of timm's with random weights.

    Args:
        model_name (str): timm's name of it.
        **kwargs: See timm's ``create_model``.

    Returns:
        nn.Module: The network.

    Raises:
        ConfigError: If timm is not installed, does not know the network or
            cannot make it so.
    """
    try:
        import timm
    except ImportError as error:
        raise ConfigError('a network of timm needs the package timm: '
                          'pip install "mmwsss[timm]"') from error
    if not timm.is_model(model_name):
        raise ConfigError(unknown_name("network of timm's", model_name,
                                       timm.list_models()))
    try:
        return timm.create_model(model_name, pretrained=False, **kwargs)
    except (NotImplementedError, TypeError, RuntimeError, AssertionError,
            ValueError) as error:
        raise ConfigError(f'{model_name} with {kwargs}: timm cannot make it '
                          f'({str(error) or type(error).__name__})'
                          ) from error


def timm_names(net: nn.Module, state: dict) -> dict:
    """Weights under the names of the tapped network.

    Some wrappers of timm's call the stage ``stages.0`` ``stages_0``.

    Args:
        net (nn.Module): What timm's ``features_only`` made.
        state (dict): Weights under the names of the whole network.

    Returns:
        dict: The same weights.
    """
    own = net.state_dict()
    return {key if key in own or key.replace('.', '_', 1) not in own
            else key.replace('.', '_', 1): value
            for key, value in state.items()}
