"""mmpretrain's ViT with weights in any of the field's key layouts."""
from contextlib import ExitStack, contextmanager
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Tuple,
    Union,
)

import torch
from mmpretrain.models.backbones import VisionTransformer
from mmpretrain.models.backbones.vision_transformer import (
    TransformerEncoderLayer,
)
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


Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries, keys, values, (B, heads, L, d) each -> mixed values."""


def run_layer(layer: TransformerEncoderLayer, tokens: Tensor,
              attend: Attend) -> Tensor:
    """Mmpretrain's ``TransformerEncoderLayer`` with another attention.

    Args:
        layer (TransformerEncoderLayer): One layer.
        tokens (Tensor): What enters it, (B, L, D).
        attend (callable): The attention.

    Returns:
        Tensor: What leaves it, (B, L, D).
    """
    tokens = tokens + attention_branch(layer, layer.ln1(tokens), attend)
    return layer.ffn(layer.ln2(tokens), identity=tokens)


def attention_branch(layer: TransformerEncoderLayer, normed: Tensor,
                     attend: Attend) -> Tensor:
    """What the attention of a layer adds to the tokens.

    Args:
        layer (TransformerEncoderLayer): One layer.
        normed (Tensor): Tokens after its first norm, (B, L, D).
        attend (callable): The attention.

    Returns:
        Tensor: (B, L, D).
    """
    attn = layer.attn
    B, L, _ = normed.shape
    qkv = attn.qkv(normed).reshape(B, L, 3, attn.num_heads, attn.head_dims)
    query, key, value = qkv.permute(2, 0, 3, 1, 4)  # (B, heads, L, d) each
    output = attend(query, key, value)
    output = attn.proj(output.transpose(1, 2).reshape(B, L, attn.embed_dims))
    return attn.out_drop(attn.gamma1(attn.proj_drop(output)))


def head_weights(query: Tensor, key: Tensor) -> Tensor:
    """Attention weights, (..., Q, d) and (..., K, d) -> (..., Q, K)."""
    query = query * query.shape[-1]**-0.5
    return (query @ key.transpose(-2, -1)).softmax(-1)


class MeanAttention:
    """The usual attention; remembers its mean over the heads.

    One head's (B, L, L) weights exist at a time.

    Attributes:
        mean (Tensor): Rows are queries, (B, L, L), after the call.
    """
    mean: Tensor

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Mixed values, (B, heads, L, d)."""
        heads, outputs = query.shape[1], []
        for head in range(heads):
            weights = head_weights(query[:, head], key[:, head])
            outputs.append(weights @ value[:, head])
            if head == 0:
                self.mean = weights / heads
            else:
                self.mean = self.mean + weights / heads
        return torch.stack(outputs, dim=1)
