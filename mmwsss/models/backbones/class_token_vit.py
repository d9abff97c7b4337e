"""A ViT with one token for each class."""
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from mmpretrain.models.utils import resize_pos_embed
from torch import Tensor, nn

from mmwsss.registry import MODELS

from .token_vit import TokenViT, head_weights, run_layer

# Index of a layer, visual tokens (B, C, D) and patch tokens (B, N, D) -> the
# visual tokens that enter the layer.
Context = Callable[[int, Tensor, Tensor], Tensor]


@dataclass
class TokenFeatures:
    """What a class-token ViT returns.

    Attributes:
        class_tokens (list[Tensor]): Class tokens after each layer, each of
            shape (B, T, D): first the visual tokens, then the extra ones.
        patch_tokens (Tensor): Patch tokens after the last layer, (B, N, D).
        grid (tuple[int, int]): Rows and columns of the N patches.
        class_attention (Tensor, optional): Class-to-patch attention, mean
            over heads and the chosen layers, (B, T, N). Only when localizing.
        patch_affinity (Tensor, optional): Patch-to-patch attention, mean over
            heads and the chosen layers, (B, N, N). Only when localizing.
    """
    class_tokens: List[Tensor]
    patch_tokens: Tensor
    grid: Tuple[int, int]
    class_attention: Optional[Tensor] = None
    patch_affinity: Optional[Tensor] = None

    @property
    def feature_map(self) -> Tensor:
        """Patch tokens as a map of shape (B, D, h, w)."""
        return self.patch_tokens.transpose(1, 2).unflatten(2, self.grid)


class TokenAttention:
    """Attention among class tokens and patches, some class tokens hidden.

    Hidden tokens attend to all tokens; the others do not attend to them.

    Args:
        num_visible (int): V, class tokens that all tokens attend to.
        num_hidden (int): Class tokens after these, before the patches.
    """

    def __init__(self, num_visible: int, num_hidden: int) -> None:
        self.start = num_visible
        self.end = num_visible + num_hidden

    def attend(self, layer: int, query: Tensor, key: Tensor,
               value: Tensor) -> Tensor:
        """Attention of one layer.

        Args:
            layer (int): Its index; all layers are treated alike here.
            query (Tensor): (B, heads, L, d); L are all tokens.
            key (Tensor): (B, heads, L, d).
            value (Tensor): (B, heads, L, d).

        Returns:
            Tensor: Mixed values, (B, heads, L, d).
        """
        del layer
        seen = F.scaled_dot_product_attention(
            self.without_hidden(query), self.without_hidden(key),
            self.without_hidden(value))
        hidden = F.scaled_dot_product_attention(
            query[:, :, self.start:self.end], key, value)
        return self.with_hidden(seen, hidden)

    def without_hidden(self, x: Tensor) -> Tensor:
        """Leave the hidden tokens out of all tokens ``x``, (..., L, d)."""
        if self.start == self.end:
            return x
        return torch.cat([x[..., :self.start, :], x[..., self.end:, :]], -2)

    def with_hidden(self, seen: Tensor, hidden: Tensor) -> Tensor:
        """Put the ``hidden`` tokens back among the others, (..., L, d)."""
        if self.start == self.end:
            return seen
        return torch.cat([seen[..., :self.start, :], hidden,
                          seen[..., self.start:, :]], -2)


class AttentionRecorder(TokenAttention):
    """The same attention; collects its mean while the layers run.

    One head's (B, L, L) weights exist at a time. What is kept is one
    (B, T, N) and one (B, N, N) sum, whatever the numbers of layers and heads.
    T are the class tokens, N the patches.

    Args:
        num_visible (int): See :class:`TokenAttention`.
        num_hidden (int): See :class:`TokenAttention`.
        num_layers (int): Layers of the network.
        attention_layers (int): Last layers whose class-to-patch attention is
            averaged.
        affinity_layers (int): Last layers whose patch-to-patch attention is
            averaged; 0 for none.
    """

    def __init__(self, num_visible: int, num_hidden: int, num_layers: int,
                 attention_layers: int, affinity_layers: int) -> None:
        super().__init__(num_visible, num_hidden)
        for name, value in (('attention_layers', attention_layers),
                            ('affinity_layers', affinity_layers)):
            low = 1 if name == 'attention_layers' else 0
            if not low <= value <= num_layers:
                raise ValueError(f'{name}={value}: the network has '
                                 f'{num_layers} layers')
        self.attention_start = num_layers - attention_layers
        self.affinity_start = num_layers - affinity_layers
        self.num_layers = num_layers
        self.class_attention: Optional[Tensor] = None
        self.patch_affinity: Optional[Tensor] = None

    def attend(self, layer: int, query: Tensor, key: Tensor,
               value: Tensor) -> Tensor:
        """Attention of one layer, as of :class:`TokenAttention`."""
        keep_attention = layer >= self.attention_start
        keep_affinity = layer >= self.affinity_start
        if not (keep_attention or keep_affinity):
            return super().attend(layer, query, key, value)
        num_heads = query.shape[1]
        start, end = self.start, self.end
        outputs = []
        for head in range(num_heads):
            q, k, v = query[:, head], key[:, head], value[:, head]
            hidden = head_weights(q[:, start:end], k)  # (B, T - V, L)
            seen = head_weights(self.without_hidden(q),
                                self.without_hidden(k))
            outputs.append(self.with_hidden(
                seen @ self.without_hidden(v), hidden @ v))
            if keep_attention:
                to_patches = [seen[:, :start, start:], hidden[:, :, end:]]
                self.class_attention = self._add(
                    self.class_attention, torch.cat(to_patches, dim=1),
                    num_heads * (self.num_layers - self.attention_start))
            if keep_affinity:
                self.patch_affinity = self._add(
                    self.patch_affinity, seen[:, start:, start:],
                    num_heads * (self.num_layers - self.affinity_start))
        return torch.stack(outputs, dim=1)

    @staticmethod
    def _add(total: Optional[Tensor], part: Tensor, count: int) -> Tensor:
        if total is None:
            return part / count
        return total.add_(part, alpha=1. / count)


@MODELS.register_module()
class ClassTokenViT(TokenViT):
    """ViT over [visual class tokens, extra class tokens, patch tokens].

    The visual class tokens are learned, from small random values. Extra
    tokens, such as MMCT's textual ones, are given to ``forward``. Training
    uses ``scaled_dot_product_attention``; attention weights are computed only
    when they are asked for, see :class:`AttentionRecorder`.

    Args:
        num_classes (int): C, number of visual class tokens.
        hide_extra_tokens (bool): Extra tokens attend to all tokens, but no
            other token attends to them, so that they cannot disturb what is
            pre-trained. Defaults to False.
        final_norm (bool): Whether the pre-trained LayerNorm is applied after
            the last layer. Defaults to False, as in MCTformer+.
        **kwargs: See :class:`TokenViT`.

    Example:
        >>> vit = ClassTokenViT(num_classes=20, arch='deit-tiny')
        >>> out = vit(torch.rand(2, 3, 160, 224))
        >>> out.class_tokens[-1].shape, out.grid
        (torch.Size([2, 20, 192]), (10, 14))
    """

    def __init__(self,
                 num_classes: int,
                 hide_extra_tokens: bool = False,
                 final_norm: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(
            final_norm=final_norm, with_cls_token=False, **kwargs)
        self.num_classes = num_classes
        self.hide_extra_tokens = hide_extra_tokens
        if hide_extra_tokens and any(x.attn.attn_drop for x in self.layers):
            raise ValueError('hide_extra_tokens knows no attention dropout: '
                             'leave attn_drop_rate out of layer_cfgs')
        self.visual_tokens = nn.Parameter(
            nn.init.trunc_normal_(
                torch.empty(1, num_classes, self.embed_dims), std=0.02))

    def adapt_weights(self, state: Dict[str, Tensor]) -> Dict[str, Tensor]:
        """Drop the one class token of a plain ViT; ours start random.

        Copies of the pre-trained class token would be equal for all classes,
        and too large for a small learning rate to part them; small random
        tokens differ from the first step on.
        """
        return super().adapt_weights(
            {'visual_tokens': self.visual_tokens.detach(), **state})

    def resized_pos_embed(self, grid: Tuple[int, int]) -> Tensor:
        """Position embeddings of the patches on any grid.

        Args:
            grid (tuple[int, int]): Rows and columns of the N patches.

        Returns:
            Tensor: (1, N, D).
        """
        return resize_pos_embed(self.pos_embed, self.patch_resolution, grid,
                                self.interpolate_mode, self.num_extra_tokens)

    def forward(self,
                images: Tensor,
                extra_tokens: Optional[Tensor] = None,
                context: Optional[Context] = None,
                attention_layers: int = 0,
                affinity_layers: int = 0) -> TokenFeatures:
        """Run the network.

        Args:
            images (Tensor): (B, 3, H, W), any H and W.
            extra_tokens (Tensor, optional): Class tokens beside the C visual
                ones, (B, T - C, D). Defaults to None: T is C.
            context (callable, optional): Called before each layer as
                ``context(layer, visual_tokens, patch_tokens)``; returns the
                visual tokens that enter the layer. Defaults to None: those
                that left the layer before.
            attention_layers (int): Last layers whose class-to-patch attention
                is returned. Defaults to 0: none, the fast path of training.
            affinity_layers (int): Last layers whose patch-to-patch attention
                is returned. Defaults to 0: none.

        Returns:
            TokenFeatures: Tokens and, if asked for, attention.
        """
        patches, grid = self.patch_embed(images)  # (B, N, D)
        patches = patches + self.resized_pos_embed(grid)
        parts = [self.visual_tokens.expand(len(images), -1, -1)]
        if extra_tokens is not None:
            parts.append(extra_tokens)
        tokens = torch.cat([*parts, patches], dim=1)  # (B, T + N, D)
        tokens = self.pre_norm(self.drop_after_pos(tokens))
        split = tokens.shape[1] - patches.shape[1]  # T

        visible = self.num_classes if self.hide_extra_tokens else split
        attention: Optional[TokenAttention] = None
        if visible < split:
            attention = TokenAttention(visible, split - visible)
        if attention_layers > 0:
            attention = AttentionRecorder(visible, split - visible,
                                          self.num_layers, attention_layers,
                                          affinity_layers)
        class_tokens = []
        for i, layer in enumerate(self.layers):
            if context is not None:
                visual = context(i, tokens[:, :self.num_classes],
                                 tokens[:, split:])
                tokens = torch.cat([visual, tokens[:, self.num_classes:]], 1)
            if attention is None:
                tokens = layer(tokens)
            else:
                tokens = run_layer(layer, tokens,
                                   partial(attention.attend, i))
            if i == self.num_layers - 1 and self.final_norm:
                tokens = self.ln1(tokens)
            class_tokens.append(tokens[:, :split])
        return TokenFeatures(
            class_tokens, tokens[:, split:], tuple(grid),
            getattr(attention, 'class_attention', None),
            getattr(attention, 'patch_affinity', None))
