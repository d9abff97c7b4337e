"""CLIP's two encoders, built to fit the weights of any key layout."""
import torch
import torch.nn.functional as F
from mmseg.models.text_encoder import CLIPTextEncoder
from mmseg.registry import MODELS
from mmseg.utils.tokenizer import tokenize
from torch import Tensor, nn

from mmwsss.files.checkpoints import StateDict
from mmwsss.problems import DataError

from .backbones.clip_vit import CLIPViT
from .clip_weights import (
    HEAD_WIDTH,
    PathLike,
    clip_vit_size,
    count_layers,
    load_exactly,
    require_weights,
)
from .pretrained import rename_keys

# Mean and standard deviation of CLIP's training photos, values in [0, 1]
# (Radford et al. 2021, the preprocessing published with the weights).
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
# OpenAI's names -> those of mmseg's CLIPTextEncoder.
_TEXT_KEYS = (
    (r'^transformer\.resblocks\.', 'transformer.'),
    (r'^(transformer\.\d+)\.attn\.', r'\1.attentions.0.attn.'),
    (r'^(transformer\.\d+)\.ln_1\.', r'\1.norms.0.'),
    (r'^(transformer\.\d+)\.ln_2\.', r'\1.norms.1.'),
    (r'^(transformer\.\d+)\.mlp\.c_fc\.', r'\1.ffns.0.layers.0.0.'),
    (r'^(transformer\.\d+)\.mlp\.c_proj\.', r'\1.ffns.0.layers.1.'),
)

def build_text_encoder(state: StateDict, weights: PathLike) -> CLIPTextEncoder:
    """Mmseg's text encoder of the size that the weights have.

    Args:
        state (dict[str, Tensor]): See :func:`read_clip_state_dict`.
        weights (str | PathLike): Where they come from, for errors.

    Returns:
        CLIPTextEncoder: In evaluation mode.

    Raises:
        DataError: If the weights are not those of a CLIP text encoder.
    """
    layer = 'transformer.resblocks.0'
    require_weights(state, weights, 'text', 'token_embedding.weight',
          'positional_embedding', 'text_projection', 'ln_final.weight',
          f'{layer}.attn.in_proj_weight', f'{layer}.mlp.c_fc.weight')
    vocabulary, width = state['token_embedding.weight'].shape
    context, output = (state['positional_embedding'].shape[0],
                       state['text_projection'].shape[1])
    hidden = state[f'{layer}.mlp.c_fc.weight'].shape[0]
    top = int(tokenize('').max())
    if vocabulary <= top:
        raise DataError(f"weights {weights}: {vocabulary} words, CLIP's "
                         f'tokenizer has {top + 1}; use weights of CLIP')
    if width % HEAD_WIDTH or hidden % width:
        raise DataError(f'weights {weights}: width {width} (hidden {hidden}) '
                         f'is not a multiple of {HEAD_WIDTH} as in CLIP; use '
                         'weights of CLIP')
    encoder = MODELS.build(
        # The scope lets the encoder find mmseg's QuickGELU.
        dict(
            type='CLIPTextEncoder',
            _scope_='mmseg',
            vocabulary=[],
            templates=[],
            total_vocab_size=vocabulary,
            context_length=context,
            embed_dims=width,
            num_layers=count_layers(state, 'transformer.resblocks'),
            num_heads=width // HEAD_WIDTH,
            mlp_ratio=hidden // width,
            output_dims=output,
            cache_feature=False,
            cat_bg=False))
    state = {**state}
    # The scale of CLIP's loss: some layouts lack it, and nothing reads it.
    state.setdefault('logit_scale', encoder.logit_scale.detach())
    load_exactly(encoder, rename_keys(state, _TEXT_KEYS), weights, 'text')
    return encoder.eval().requires_grad_(False)


class CLIPImageEncoder(nn.Module):
    """CLIP's ViT: photos to unit-length embeddings.

    Args:
        vit (CLIPViT): With its weights.
        image_size (int): Side of the square input in pixels.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, vit: CLIPViT, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.vit = vit
        for name, value in (('mean', CLIP_MEAN), ('std', CLIP_STD)):
            self.register_buffer(name, torch.tensor(value).view(3, 1, 1),
                                 persistent=False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Embed photos.

        Args:
            images (Tensor): RGB, uint8, (B, 3, S, S) with S = image_size.

        Returns:
            Tensor: Of unit length, (B, E).
        """
        images = (images.to(self.mean.device) / 255 - self.mean) / self.std
        tokens = self.vit.project(self.vit.encode(images).tokens[-1][:, :1])
        return F.normalize(tokens[:, 0], dim=-1)


def build_image_encoder(state: StateDict,
                        weights: PathLike) -> CLIPImageEncoder:
    """The image encoder of the size that the weights have.

    Args:
        state (dict[str, Tensor]): See :func:`read_clip_state_dict`.
        weights (str | PathLike): Where they come from, for errors.

    Returns:
        CLIPImageEncoder: In evaluation mode.

    Raises:
        DataError: If the weights are not those of a CLIP ViT.
    """
    size = clip_vit_size(state, weights)
    vit = CLIPViT(arch=size.arch, img_size=size.image_size,
                  patch_size=size.patch_size, out_channels=size.out_channels)
    vit.load_clip(state, weights)
    return CLIPImageEncoder(vit, size.image_size).eval()
