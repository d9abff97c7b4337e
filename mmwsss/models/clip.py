"""CLIP's two encoders, built to fit the weights of any key layout."""
import math
import os
import os.path as osp
import re
import warnings
import zipfile
from typing import TypeVar, Union

import torch
import torch.nn.functional as F
from mmpretrain.models.backbones import VisionTransformer
from mmseg.models.text_encoder import CLIPTextEncoder
from mmseg.registry import MODELS
from mmseg.utils.tokenizer import tokenize
from torch import Tensor, nn

from mmwsss.files.checkpoints import (
    StateDict,
    backbone_weights,
    cached_path,
    is_url,
)
from mmwsss.problems import DataError

from .pretrained import rename_keys

PathLike = Union[str, os.PathLike[str]]
Encoder = TypeVar('Encoder', bound=nn.Module)

# Mean and standard deviation of CLIP's training photos, values in [0, 1]
# (Radford et al. 2021, the preprocessing published with the weights).
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
# "The width of each attention head is 64" holds for all of OpenAI's models.
HEAD_WIDTH = 64

# (pattern, replacement): mmseg's and Hugging Face's names -> OpenAI's.
_OPENAI_KEYS = (
    (r'^transformer\.(\d+)\.', r'transformer.resblocks.\1.'),
    (r'\.attentions\.0\.attn\.', '.attn.'),
    (r'\.norms\.0\.', '.ln_1.'),
    (r'\.norms\.1\.', '.ln_2.'),
    (r'\.ffns\.0\.layers\.0\.0\.', '.mlp.c_fc.'),
    (r'\.ffns\.0\.layers\.1\.', '.mlp.c_proj.'),
    (r'^text_model\.embeddings\.token_embedding\.', 'token_embedding.'),
    (r'^text_model\.embeddings\.position_embedding\.weight$',
     'positional_embedding'),
    (r'^text_model\.encoder\.layers\.', 'transformer.resblocks.'),
    (r'^text_model\.final_layer_norm\.', 'ln_final.'),
    (r'^vision_model\.embeddings\.class_embedding$', 'visual.class_embedding'),
    (r'^vision_model\.embeddings\.patch_embedding\.', 'visual.conv1.'),
    (r'^vision_model\.embeddings\.position_embedding\.weight$',
     'visual.positional_embedding'),
    (r'^vision_model\.pre_layrnorm\.', 'visual.ln_pre.'),  # sic
    (r'^vision_model\.encoder\.layers\.', 'visual.transformer.resblocks.'),
    (r'^vision_model\.post_layernorm\.', 'visual.ln_post.'),
    (r'\.layer_norm([12])\.', r'.ln_\1.'),
    (r'\.mlp\.fc1\.', '.mlp.c_fc.'),
    (r'\.mlp\.fc2\.', '.mlp.c_proj.'),
    (r'\.self_attn\.', '.attn.'),
)

# OpenAI's names -> those of mmseg's CLIPTextEncoder.
_TEXT_KEYS = (
    (r'^transformer\.resblocks\.', 'transformer.'),
    (r'^(transformer\.\d+)\.attn\.', r'\1.attentions.0.attn.'),
    (r'^(transformer\.\d+)\.ln_1\.', r'\1.norms.0.'),
    (r'^(transformer\.\d+)\.ln_2\.', r'\1.norms.1.'),
    (r'^(transformer\.\d+)\.mlp\.c_fc\.', r'\1.ffns.0.layers.0.0.'),
    (r'^(transformer\.\d+)\.mlp\.c_proj\.', r'\1.ffns.0.layers.1.'),
)

# OpenAI's names, without 'visual.' -> those of mmpretrain's ViT.
_IMAGE_KEYS = (
    (r'^class_embedding$', 'cls_token'),
    (r'^positional_embedding$', 'pos_embed'),
    (r'^conv1\.', 'patch_embed.projection.'),
    (r'^ln_pre\.', 'pre_norm.'),
    (r'^ln_post\.', 'ln1.'),
    (r'^transformer\.resblocks\.', 'layers.'),
    (r'^(layers\.\d+)\.attn\.in_proj_', r'\1.attn.qkv.'),
    (r'^(layers\.\d+)\.attn\.out_proj\.', r'\1.attn.proj.'),
    (r'^(layers\.\d+)\.ln_([12])\.', r'\1.ln\2.'),
    (r'^(layers\.\d+)\.mlp\.c_fc\.', r'\1.ffn.layers.0.0.'),
    (r'^(layers\.\d+)\.mlp\.c_proj\.', r'\1.ffn.layers.1.'),
)


def read_clip_state_dict(weights: PathLike) -> StateDict:
    """CLIP's weights under OpenAI's names, float32; runs no code.

    Args:
        weights (str | PathLike): Path or URL of a plain state dict in
            OpenAI's, mmseg's or Hugging Face's layout.

    Returns:
        dict[str, Tensor]: Weights of the text encoder, and of the image
        encoder (``visual.*``) where the file has them.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If the file is not a plain state dict.
    """
    weights = os.fspath(weights)
    local = weights
    if is_url(weights):
        local = cached_path(weights)
    # A TorchScript archive is a program: loading it is not safe, and torch
    # before 2.6 loads it even when asked for weights only.
    refusal = DataError(
        f'weights {weights}: a TorchScript archive is a program, not a file '
        'of weights. If you trust it, save its state dict once and use that: '
        'python -c "import torch; torch.save(torch.jit.load('
        f"{local!r}, map_location='cpu').state_dict(), "
        f'{osp.splitext(local)[0] + "_state_dict.pth"!r})"')
    if _is_torchscript(local):
        raise refusal
    try:
        with warnings.catch_warnings():
            # torch warns of a TorchScript archive, then raises.
            warnings.simplefilter('ignore', UserWarning)
            state = backbone_weights(weights)
    except ValueError as error:
        if 'TorchScript' in str(error):
            raise refusal from error
        raise DataError(str(error)) from error
    return _to_openai_keys({key: value.float()
                            for key, value in state.items()})


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
    _need(state, weights, 'text', 'token_embedding.weight',
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
            num_layers=_count_layers(state, 'transformer.resblocks'),
            num_heads=width // HEAD_WIDTH,
            mlp_ratio=hidden // width,
            output_dims=output,
            cache_feature=False,
            cat_bg=False))
    state = {**state}
    # The scale of CLIP's loss: some layouts lack it, and nothing reads it.
    state.setdefault('logit_scale', encoder.logit_scale.detach())
    return _load(encoder, rename_keys(state, _TEXT_KEYS), weights, 'text')


class CLIPImageEncoder(nn.Module):
    """CLIP's ViT: photos to unit-length embeddings.

    Args:
        image_size (int): Side of the square input in pixels.
        patch_size (int): Side of a patch in pixels.
        embed_dims (int): Width D.
        num_layers (int): Number of layers.
        feedforward_channels (int): Hidden width of the MLPs.
        output_dims (int): Size E of the embedding.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, image_size: int, patch_size: int, embed_dims: int,
                 num_layers: int, feedforward_channels: int,
                 output_dims: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.vit = VisionTransformer(
            arch=dict(
                embed_dims=embed_dims,
                num_layers=num_layers,
                num_heads=embed_dims // HEAD_WIDTH,
                feedforward_channels=feedforward_channels),
            img_size=image_size,
            patch_size=patch_size,
            pre_norm=True,
            norm_cfg=dict(type='LN', eps=1e-5),
            layer_cfgs=dict(act_cfg=dict(type='mmseg.QuickGELU')))
        self.proj = nn.Parameter(torch.zeros(embed_dims, output_dims))
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
        images = (images.to(self.proj.device) / 255 - self.mean) / self.std
        return F.normalize(self.vit(images)[-1] @ self.proj, dim=-1)


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
    if any(key.startswith('visual.layer1.') for key in state):
        raise DataError(f'weights {weights}: the image encoder is a ResNet; '
                         'use a CLIP model with a ViT, e.g. ViT-B/16')
    layer = 'visual.transformer.resblocks.0'
    _need(state, weights, 'image', 'visual.conv1.weight', 'visual.proj',
          'visual.class_embedding', 'visual.positional_embedding',
          f'{layer}.attn.in_proj_weight', f'{layer}.mlp.c_fc.weight')
    width, _, patch_size, _ = state['visual.conv1.weight'].shape
    length = state['visual.positional_embedding'].shape[0]
    grid = math.isqrt(length - 1)
    if width % HEAD_WIDTH or grid * grid + 1 != length:
        raise DataError(
            f'weights {weights}: width {width} with {length} position '
            f'embeddings is not a CLIP ViT (a multiple of {HEAD_WIDTH}, a '
            'square grid plus one); use e.g. ViT-B/16')
    encoder = CLIPImageEncoder(
        image_size=grid * patch_size,
        patch_size=patch_size,
        embed_dims=width,
        num_layers=_count_layers(state, 'visual.transformer.resblocks'),
        feedforward_channels=state[f'{layer}.mlp.c_fc.weight'].shape[0],
        output_dims=state['visual.proj'].shape[1])
    visual = {key[len('visual.'):]: value for key, value in state.items()
              if key.startswith('visual.')}
    proj = visual.pop('proj')
    vit = rename_keys(visual, _IMAGE_KEYS)
    vit['cls_token'] = vit['cls_token'].view(1, 1, -1)
    vit['pos_embed'] = vit['pos_embed'].unsqueeze(0)
    vit = {f'vit.{key}': value for key, value in vit.items()}
    return _load(encoder, {**vit, 'proj': proj}, weights, 'image')


def clip_model_name(state: StateDict, weights: PathLike) -> str:
    """'CLIP ViT-B/16' if the image encoder is there, else by the file name.

    Args:
        state (dict[str, Tensor]): See :func:`read_clip_state_dict`.
        weights (str | PathLike): Where they come from.

    Returns:
        str: The name.
    """
    if 'visual.conv1.weight' not in state or 'visual.proj' not in state:
        return f'CLIP ({osp.basename(os.fspath(weights))})'
    width, _, patch_size, _ = state['visual.conv1.weight'].shape
    length = state['visual.positional_embedding'].shape[0]
    size = math.isqrt(length - 1) * patch_size
    letter = {768: 'B', 1024: 'L'}.get(width, width)
    resolution = '' if size == 224 else f'@{size}px'
    return f'CLIP ViT-{letter}/{patch_size}{resolution}'


def _is_torchscript(path: str) -> bool:
    if not osp.isfile(path) or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith('constants.pkl')
                       for name in archive.namelist())
    except zipfile.BadZipFile:  # read_checkpoint says what is wrong
        return False


def _to_openai_keys(state: StateDict) -> StateDict:
    """Weights in any known layout -> OpenAI's."""
    prefix = 'text_encoder.'  # the text part of mmseg's SAN
    if any(key.startswith(prefix) for key in state):
        state = {key[len(prefix):]: value for key, value in state.items()
                 if key.startswith(prefix)}
    state = rename_keys(state, _OPENAI_KEYS)
    # Hugging Face's projections are linear layers, OpenAI's are matrices.
    for key, other in (('text_projection', 'text_projection.weight'),
                       ('visual.proj', 'visual_projection.weight')):
        if other in state:
            state[key] = state.pop(other).t().contiguous()
    # Hugging Face keeps queries, keys and values apart.
    for key in [key for key in state if '.attn.q_proj.' in key]:
        names = [key.replace('.q_proj.', f'.{part}_proj.') for part in 'qkv']
        if all(name in state for name in names):
            state[key.replace('.q_proj.', '.in_proj_')] = torch.cat(
                [state.pop(name) for name in names])
    return state


def _count_layers(state: StateDict, prefix: str) -> int:
    pattern = re.compile(re.escape(prefix) + r'\.(\d+)\.')
    return 1 + max(int(match.group(1)) for match in map(pattern.match, state)
                   if match)


def _need(state: StateDict, weights: PathLike, part: str, *keys: str) -> None:
    """The weights that tell the model's size are there, of the right rank."""
    for key in keys:
        if key not in state:
            raise DataError(
                f'weights {weights}: not the {part} encoder of a CLIP model, '
                f'{key} is missing (the first weight is '
                f"{next(iter(state), 'none')}). Known layouts: OpenAI's, " +
                ("mmseg's, " if part == 'text' else '') + "Hugging Face's")
        rank = (1 if re.search(r'class_embedding|ln_final', key) else
                4 if key.endswith('conv1.weight') else 2)
        if state[key].dim() != rank:
            raise DataError(
                f'weights {weights}: {key} has shape '
                f'{tuple(state[key].shape)}, not that of a CLIP model; use '
                'weights of CLIP')


def _load(model: Encoder, state: StateDict, weights: PathLike,
          part: str) -> Encoder:
    """Load all weights of the model; those of other parts are left out."""
    own = model.state_dict()
    for key, value in own.items():
        shape = tuple(state[key].shape) if key in state else 'missing'
        if shape != tuple(value.shape):
            raise DataError(
                f'weights {weights}: {key} of the {part} encoder is {shape}, '
                f'the other weights ask for {tuple(value.shape)}; the file is '
                'damaged or not of a CLIP model')
    model.load_state_dict({key: state[key] for key in own})
    return model.eval().requires_grad_(False)
