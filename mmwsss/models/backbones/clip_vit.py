"""CLIP's image encoder, frozen; its tokens and attention of every layer."""
from dataclasses import dataclass
from typing import Any, List, Optional, Tuple, Union

import torch
from mmpretrain.models.utils import resize_pos_embed
from torch import Tensor, nn

from mmwsss.files.checkpoints import StateDict
from mmwsss.models.clip_weights import (
    PathLike,
    image_encoder_weights,
    load_exactly,
    read_clip_state_dict,
)
from mmwsss.models.pretrained import fit_pos_embed
from mmwsss.registry import MODELS

from .token_vit import MeanAttention, TokenViT, attention_branch


@dataclass
class CLIPFeatures:
    """What CLIP's image encoder makes of images.

    Attributes:
        tokens (list[Tensor]): Class token and N patches, before the first
            layer and after each that has run, (B, 1 + N, D) each.
        grid (tuple[int, int]): Rows and columns of the N patches.
        attention (list[Tensor]): Patches to patches, mean over heads, of the
            layers that were asked for, (B, N, N) each.
        halfway (list[Tensor]): Tokens between attention and MLP of the layers
            that were asked for, (B, 1 + N, D) each.
    """
    tokens: List[Tensor]
    grid: Tuple[int, int]
    attention: List[Tensor]
    halfway: List[Tensor]

    def patch_map(self, layer: int) -> Tensor:
        """Patch tokens after a layer as a map, (B, D, h, w)."""
        return self.tokens[layer][:, 1:].transpose(1, 2).unflatten(
            2, self.grid)


@MODELS.register_module()
class CLIPViT(TokenViT):
    """CLIP's ViT (Radford et al. 2021) for images of any size.

    It is frozen: in training mode, too, its layers stay as in evaluation, no
    weight has a gradient, and nothing is kept for one. Position embeddings
    are interpolated bilinearly, as CLIP-ES, WeCLIP and ExCEL do (their half
    precision of the result is left out).

    Args:
        arch (str | dict): See :class:`TokenViT`. Defaults to 'base'.
        pretrained (str, optional): Path or URL of a plain CLIP state dict in
            OpenAI's, open_clip's or Hugging Face's layout. Defaults to None.
        out_channels (int): E, size of CLIP's common space of images and
            texts. Defaults to 512, as of ViT-B.
        activation (str): 'QuickGELU' for OpenAI's weights and those trained
            like them, 'GELU' for most others of open_clip. Defaults to
            'QuickGELU'.
        half (bool): Whether the encoder computes in half precision, for half
            the memory on a GPU; what it returns is float32 all the same.
            Defaults to False.
        **kwargs: See :class:`TokenViT`.

    Example:
        >>> import torch
        >>> vit = CLIPViT('deit-tiny', img_size=64)
        >>> features = vit.encode(torch.rand(1, 3, 64, 96), attention_layers=2)
        >>> len(features.tokens), features.attention[0].shape, features.grid
        (13, torch.Size([1, 24, 24]), (4, 6))
    """

    def __init__(self,
                 arch: Union[str, dict] = 'base',
                 pretrained: Optional[str] = None,
                 out_channels: int = 512,
                 activation: str = 'QuickGELU',
                 half: bool = False,
                 **kwargs: Any) -> None:
        scope = 'mmseg.' if activation == 'QuickGELU' else ''
        super().__init__(
            arch, pretrained, pre_norm=True, interpolate_mode='bilinear',
            norm_cfg=dict(type='LN', eps=1e-5),
            layer_cfgs=dict(act_cfg=dict(type=scope + activation)), **kwargs)
        self.out_channels = out_channels
        self.proj = nn.Parameter(torch.zeros(self.embed_dims, out_channels))
        self.requires_grad_(False)
        if half:
            self.half()

    def train(self, mode: bool = True) -> 'CLIPViT':
        """Stay in evaluation: frozen."""
        del mode
        super().train(False)
        return self

    def init_weights(self) -> None:
        """Random initialisation, then ``pretrained`` where given."""
        source, self.pretrained = self.pretrained, None
        super().init_weights()
        self.pretrained = source
        if source is not None:
            self.load_clip(read_clip_state_dict(source), source)

    def load_clip(self, state: StateDict, source: PathLike) -> None:
        """Take the image encoder's weights.

        Args:
            state (dict[str, Tensor]): See
                :func:`mmwsss.models.clip_weights.read_clip_state_dict`.
            source (str | PathLike): Where they come from, for errors.

        Raises:
            DataError: If they are not those of this encoder.
        """
        weights = image_encoder_weights(state, source)
        weights['pos_embed'] = fit_pos_embed(weights['pos_embed'], self,
                                             str(source))
        load_exactly(self, weights, source, 'image')

    @torch.no_grad()
    def encode(self,
               images: Tensor,
               num_layers: Optional[int] = None,
               attention_layers: int = 0,
               halfway_layers: int = 0) -> CLIPFeatures:
        """Run the layers.

        Args:
            images (Tensor): Normalised images, (B, 3, H, W).
            num_layers (int, optional): How many layers run, from the first
                on. Defaults to None: all.
            attention_layers (int): Of how many of these, from the last back,
                the attention is kept. One head's exists at a time, and one
                mean a layer is kept. Defaults to 0.
            halfway_layers (int): Of how many of these, from the last back,
                the tokens before the MLP are kept. Defaults to 0.

        Returns:
            CLIPFeatures: Without gradient.
        """
        patches, grid = self.patch_embed(images.to(self.proj.dtype))
        tokens = torch.cat([self.cls_token.expand(len(images), -1, -1),
                            patches], dim=1)
        tokens = self.pre_norm(tokens + resize_pos_embed(
            self.pos_embed, self.patch_resolution, grid,
            self.interpolate_mode, self.num_extra_tokens))
        last = len(self.layers) if num_layers is None else num_layers
        out = CLIPFeatures([tokens.float()], tuple(grid), [], [])
        for index, layer in enumerate(self.layers[:last]):
            if index < last - max(attention_layers, halfway_layers):
                tokens = layer(tokens)
            else:
                recorder = MeanAttention()
                middle = tokens + attention_branch(
                    layer, layer.ln1(tokens), recorder)
                if index >= last - attention_layers:
                    out.attention.append(recorder.mean[:, 1:, 1:].float())
                if index >= last - halfway_layers:
                    out.halfway.append(middle.float())
                tokens = layer.ffn(layer.ln2(middle), identity=middle)
            out.tokens.append(tokens.float())
        return out

    def project(self, tokens: Tensor) -> Tensor:
        """Tokens in the common space of images and texts.

        Args:
            tokens (Tensor): After the last layer, (..., D).

        Returns:
            Tensor: Not normalised, (..., E), with gradient.
        """
        return (self.ln1(tokens.to(self.proj.dtype)) @ self.proj).float()

    def forward(self, images: Tensor) -> Tuple[Tensor]:
        """The last feature map, as of :class:`TokenViT`, (B, D, h, w)."""
        return (self.encode(images).patch_map(-1), )
