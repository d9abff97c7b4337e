"""mmpretrain's ViT with weights in any of the field's key layouts."""
from contextlib import ExitStack, contextmanager
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

from mmpretrain.models.backbones import VisionTransformer
from torch import Tensor, nn

from mmwsss.models.pretrained import load_vit_weights
from mmwsss.registry import MODELS


@MODELS.register_module()
class TokenViT(VisionTransformer):
    """A Vision Transformer that returns feature maps.

    Input of any size: position embeddings are interpolated to its grid.

    Args:
        arch (str | dict): See mmpretrain's ``VisionTransformer``:
            'deit-tiny', 'deit-small', 'base', 'large', or a dict.
        pretrained (str, optional): Path or URL of weights in DINO's, DeiT's,
            timm's or mmpretrain's layout. Defaults to None.
        out_type (str): What mmpretrain's ViT puts out. Defaults to
            'featmap': each output is (B, D, h, w).
        **kwargs: Passed on to mmpretrain's ``VisionTransformer``.

    Example:
        >>> import torch
        >>> vit = TokenViT('deit-tiny', img_size=64)
        >>> vit(torch.rand(1, 3, 64, 96))[0].shape
        torch.Size([1, 192, 4, 6])
    """

    def __init__(self,
                 arch: Union[str, dict] = 'base',
                 pretrained: Optional[str] = None,
                 out_type: str = 'featmap',
                 **kwargs: Any) -> None:
        super().__init__(arch, out_type=out_type, **kwargs)
        self.pretrained = pretrained

    @property
    def tap_channels(self) -> Tuple[int, ...]:
        """Channels of each output."""
        return (self.embed_dims, ) * len(self.out_indices)

    @property
    def tap_strides(self) -> Tuple[int, ...]:
        """Pixels of the image per value of each output."""
        stride = self.patch_embed.projection.stride[0]
        return (stride, ) * len(self.out_indices)

    @contextmanager
    def recorded_attention(self, num_layers: int) -> Iterator[List[Tensor]]:
        """Attention logits of the last layers in a forward pass inside.

        Args:
            num_layers (int): How many layers, counted from the last.

        Yields:
            list[Tensor]: Filled in the forward pass: of each layer the scaled
            products of queries and keys, (B, heads, L, L).
        """
        logits: List[Tensor] = []

        def record(attention: nn.Module, args: Tuple[Tensor],
                   qkv: Tensor) -> None:
            heads = self.layers[-1].attn.num_heads
            query, key, _ = qkv.unflatten(-1, (3, heads, -1)).permute(
                2, 0, 3, 1, 4)  # (B, heads, L, d) each
            logits.append(query @ key.transpose(2, 3) * query.shape[-1]**-0.5)

        with ExitStack() as stack:
            for layer in self.layers[-num_layers:]:
                handle = layer.attn.qkv.register_forward_hook(record)
                stack.callback(handle.remove)
            yield logits

    def init_weights(self) -> None:
        """Random initialisation, then ``pretrained`` where given."""
        super().init_weights()
        if self.pretrained is not None:
            load_vit_weights(self, self.pretrained)

    def adapt_weights(self, state: Dict[str, Tensor]) -> Dict[str, Tensor]:
        """Change weights in mmpretrain's layout to those of this class.

        Args:
            state (dict[str, Tensor]): Weights; ``pos_embed`` is (1, 1 + N, D)
                or (1, N, D) with N patches on the model's grid.

        Returns:
            dict[str, Tensor]: Weights under the names that
            ``self.state_dict()`` has.
        """
        num_patches = self.patch_resolution[0] * self.patch_resolution[1]
        if 'pos_embed' in state and not self.with_cls_token:
            patches_only = state['pos_embed'][:, -num_patches:]
            state = {**state, 'pos_embed': patches_only}
        return state
