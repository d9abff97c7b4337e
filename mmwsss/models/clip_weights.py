"""CLIP's weights, read from any key layout without running code."""
import math
import os
import os.path as osp
import re
import warnings
import zipfile
from typing import Dict, NamedTuple, Union

import torch
from torch import nn

from mmwsss.files.checkpoints import (
    StateDict,
    backbone_weights,
    local_weights,
)
from mmwsss.problems import DataError

from .pretrained import rename_keys

PathLike = Union[str, os.PathLike[str]]
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
    local = local_weights(weights)
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


class CLIPViTSize(NamedTuple):
    """The size of an image encoder.

    Attributes:
        arch (dict): What mmpretrain's ``VisionTransformer`` calls ``arch``.
        image_size (int): Side of the square photos that it was trained on.
        patch_size (int): Side of a patch in pixels.
        out_channels (int): E, size of an embedding.
    """
    arch: Dict[str, int]
    image_size: int
    patch_size: int
    out_channels: int


def clip_vit_size(state: StateDict, weights: PathLike) -> CLIPViTSize:
    """The size of the image encoder that weights are of.

    Args:
        state (dict[str, Tensor]): See :func:`read_clip_state_dict`.
        weights (str | PathLike): Where they come from, for errors.

    Returns:
        CLIPViTSize: The size.

    Raises:
        DataError: If the weights are not those of a CLIP ViT.
    """
    if any(key.startswith('visual.layer1.') for key in state):
        raise DataError(f'weights {weights}: the image encoder is a ResNet; '
                        'use a CLIP model with a ViT, e.g. ViT-B/16')
    layer = 'visual.transformer.resblocks.0'
    require_weights(
        state, weights, 'image', 'visual.conv1.weight', 'visual.proj',
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
    arch = dict(
        embed_dims=width,
        num_layers=count_layers(state, 'visual.transformer.resblocks'),
        num_heads=width // HEAD_WIDTH,
        feedforward_channels=state[f'{layer}.mlp.c_fc.weight'].shape[0])
    return CLIPViTSize(arch, grid * patch_size, patch_size,
                       state['visual.proj'].shape[1])


def image_encoder_weights(state: StateDict, weights: PathLike) -> StateDict:
    """The image encoder's weights under mmpretrain's names.

    Args:
        state (dict[str, Tensor]): See :func:`read_clip_state_dict`.
        weights (str | PathLike): Where they come from, for errors.

    Returns:
        dict[str, Tensor]: With ``pos_embed`` (1, 1 + N, D) on the grid of the
        file, and the projection ``proj`` (D, E).

    Raises:
        DataError: If the file has no image encoder.
    """
    visual = {key[len('visual.'):]: value for key, value in state.items()
              if key.startswith('visual.')}
    require_weights(state, weights, 'image', 'visual.proj',
                    'visual.class_embedding', 'visual.positional_embedding')
    vit = rename_keys(visual, _IMAGE_KEYS)
    vit['cls_token'] = vit['cls_token'].view(1, 1, -1)
    vit['pos_embed'] = vit['pos_embed'].unsqueeze(0)
    return vit


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


def count_layers(state: StateDict, prefix: str) -> int:
    """How many layers there are under a prefix."""
    pattern = re.compile(re.escape(prefix) + r'\.(\d+)\.')
    return 1 + max(int(match.group(1)) for match in map(pattern.match, state)
                   if match)


def require_weights(state: StateDict, weights: PathLike, part: str,
                    *keys: str) -> None:
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


def load_exactly(model: nn.Module, state: StateDict, weights: PathLike,
          part: str) -> None:
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
