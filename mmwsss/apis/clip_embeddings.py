"""CLIP embeddings of class names and of photos, written once to a file."""
import hashlib
import math
import os
import os.path as osp
import re
import time
import warnings
import zipfile
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import (
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
)
from urllib.parse import urlparse

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmpretrain.models.backbones import VisionTransformer
from mmseg.models.text_encoder import CLIPTextEncoder
from mmseg.registry import MODELS
from mmseg.utils.tokenizer import tokenize
from PIL import Image
from rich.progress import track
from torch import Tensor, nn

from mmwsss.datasets.class_prompts import ClassPrompts, get_class_prompts
from mmwsss.datasets.transforms.loading import to_rgb
from mmwsss.models.checkpoint import (
    StateDict,
    read_checkpoint,
    unwrap_state_dict,
)
from mmwsss.problems import DataError, unknown_name

PathLike = Union[str, os.PathLike]
Classes = Union[str, Sequence[str], Mapping[str, Sequence[str]]]

PHOTO_SUFFIXES = ('.jpg', '.jpeg', '.png', '.webp', '.bmp', '.tif', '.tiff')

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


def extract_text_embeddings(
        out_file: PathLike,
        classes: Classes,
        weights: PathLike,
        templates: Sequence[str] = ('a photo of a {}', ),
        synonyms: Optional[Mapping[str, Sequence[str]]] = None,
        model_name: Optional[str] = None,
        device: Optional[str] = None) -> str:
    """Write CLIP's text embeddings of class names.

    The embedding of a class is the mean of the unit-length embeddings of all
    its phrases in all templates, brought to unit length (Radford et al. 2021,
    section 3.1.4). The file is an ``.npz`` with ``names`` (C,), ``embeddings``
    (C, E) float32, ``model`` and ``prompt``.

    Args:
        out_file (str | PathLike): The ``.npz`` to write.
        classes (str | Sequence[str] | Mapping): ``'voc12'``, ``'coco80'``, a
            text file (see :func:`mmwsss.datasets.class_prompts.
            get_class_prompts`), class names, or a mapping from the data set's
            class names to the phrases that stand for them in prompts.
        weights (str | PathLike): Path or URL of a plain CLIP state dict in
            OpenAI's, mmseg's (SAN) or Hugging Face's layout, trained with
            QuickGELU as OpenAI's are.
        templates (Sequence[str]): Prompts with ``{}`` for the phrase.
        synonyms (Mapping[str, Sequence[str]], optional): Further phrases for
            some of the classes. Defaults to None.
        model_name (str, optional): Stored as ``model``; by default read from
            the weights, e.g. 'CLIP ViT-B/16'.
        device (str, optional): Defaults to the GPU if there is one.

    Returns:
        str: ``out_file``.

    Raises:
        DataError: If the classes, templates or synonyms are not usable, or
            the weights are unsafe or not those of a CLIP model.
        FileNotFoundError: If there are no such weights.
    """
    out_file = _check_out_file(out_file)
    phrases = _collect_phrases(classes, synonyms)
    templates = (templates, ) if isinstance(templates, str) else templates
    for template in templates:
        if template.count('{}') != 1:
            raise DataError(f'template {template!r}: needs {{}} once, where '
                            "the class goes, e.g. 'a photo of a {}'")
    if not templates:
        raise DataError("no template; give one, e.g. 'a photo of a {}'")
    prompts = {name: [template.replace('{}', phrase)
                      for template in templates for phrase in words]
               for name, words in phrases.items()}

    state = read_clip_state_dict(weights)
    encoder = build_text_encoder(state, weights).to(_device(device))
    vectors = _encode_prompts(encoder, list(dict.fromkeys(
        prompt for group in prompts.values() for prompt in group)))
    embeddings = torch.stack([
        torch.stack([vectors[prompt] for prompt in group]).mean(dim=0)
        for group in prompts.values()
    ])  # (C, E)
    _save_npz(
        out_file,
        names=np.array(list(prompts)),
        embeddings=F.normalize(embeddings, dim=-1).numpy(),
        model=np.array(model_name or _name_model(state, weights)),
        prompt=np.array('; '.join(templates)))
    print_log(f'Wrote {out_file}: {len(prompts)} classes', 'current')
    return out_file


def extract_image_embeddings(out_file: PathLike,
                             image_paths: Sequence[PathLike],
                             weights: PathLike,
                             batch_size: int = 64,
                             resume: bool = True,
                             model_name: Optional[str] = None,
                             device: Optional[str] = None,
                             num_workers: int = 4,
                             save_interval: float = 10.) -> str:
    """Write CLIP's image embeddings of photos.

    The file is an ``.npz`` with ``names`` (N,), the file names without folder
    and extension, ``embeddings`` (N, E) float32 of unit length, in the order
    of ``image_paths``, and ``model``. Until it is finished, the work is kept
    in the folder ``{out_file}.parts``.

    Args:
        out_file (str | PathLike): The ``.npz`` to write.
        image_paths (Sequence[str | PathLike]): The photos.
        weights (str | PathLike): Path or URL of a plain CLIP state dict with
            a ViT, in OpenAI's or Hugging Face's layout, trained with QuickGELU
            as OpenAI's are.
        batch_size (int): Defaults to 64.
        resume (bool): Go on where an interrupted run with the same weights
            stopped; False starts over. Defaults to True.
        model_name (str, optional): Stored as ``model``; by default read from
            the weights, e.g. 'CLIP ViT-B/16'.
        device (str, optional): Defaults to the GPU if there is one.
        num_workers (int): Threads that read photos. Defaults to 4.
        save_interval (float): Seconds between two savings. Defaults to 10.

    Returns:
        str: ``out_file``.

    Raises:
        DataError: If a photo is missing or damaged, two have one name, or the
            weights are unsafe or not those of a CLIP ViT.
        FileNotFoundError: If there are no such weights.
    """
    if batch_size < 1:
        raise DataError(f'batch_size {batch_size}: must be at least 1')
    out_file = _check_out_file(out_file)
    photos = _check_photos(image_paths)
    state = read_clip_state_dict(weights)
    encoder = build_image_encoder(state, weights).to(_device(device))
    parts = _Parts(f'{out_file}.parts', _digest(encoder), resume)
    todo = {key: path for key, path in photos.items()
            if key not in parts.rows}
    if todo:
        if len(todo) < len(photos):
            print_log(f'{len(photos) - len(todo)} of {len(photos)} photos '
                      'were done before', 'current')
        _encode_photos(encoder, todo, batch_size, num_workers, parts,
                       save_interval)
    _save_npz(
        out_file,
        names=np.array([name for name, _ in photos]),
        embeddings=np.stack([parts.rows[key] for key in photos]),
        model=np.array(model_name or _name_model(state, weights)))
    parts.remove()
    print_log(f'Wrote {out_file}: {len(photos)} photos', 'current')
    return out_file


def find_images(folder: Optional[PathLike] = None,
                list_file: Optional[PathLike] = None) -> List[str]:
    """Photos of a folder, or those that a list names.

    Args:
        folder (str | PathLike, optional): With ``list_file``, the folder that
            its entries are in; alone, all photos in it, in order of name.
        list_file (str | PathLike, optional): A text file with one photo a
            line; without an extension, it is looked up in the folder. The
            default folder is that of the list.

    Returns:
        list[str]: Paths.

    Raises:
        DataError: If there are no photos, or a listed one is missing.
    """
    if folder is None and list_file is None:
        raise DataError('no photos named; give a folder or a list')
    folder = osp.dirname(list_file) if folder is None else os.fspath(folder)
    if not osp.isdir(folder or '.'):
        raise DataError(f'{folder}: no such folder of photos; check the path')
    found = {}  # name without extension -> file name
    for file in sorted(os.listdir(folder or '.')):
        if file.lower().endswith(PHOTO_SUFFIXES):
            found.setdefault(osp.splitext(file)[0], []).append(file)
    if list_file is None:
        if not found:
            raise DataError(f'{folder}: no photo in it; looked for '
                            f'{", ".join(PHOTO_SUFFIXES)}')
        return [osp.join(folder, file)
                for files in found.values() for file in files]
    try:
        with open(list_file, encoding='utf-8-sig') as file:
            entries = [line.strip() for line in file if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{list_file}: not a readable list of photos '
                        f'({error}); give one a line') from error
    if not entries:
        raise DataError(f'{list_file}: lists no photo; write one a line')
    for entry in entries:
        if len(found.get(entry, ())) > 1:
            raise DataError(f'{list_file}: {entry!r} may be '
                            f'{" or ".join(found[entry])}; write it in full')
    return [osp.join(folder, found[entry][0] if entry in found else entry)
            for entry in entries]


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
    if urlparse(weights).scheme in ('http', 'https'):
        local = osp.join(torch.hub.get_dir(), 'checkpoints',
                         osp.basename(urlparse(weights).path))
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
            state = unwrap_state_dict(read_checkpoint(weights))
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
    # The scale of CLIP's loss; some layouts leave it out, nothing reads it.
    state.setdefault('logit_scale', encoder.logit_scale.detach())
    return _load(encoder, _rename(state, _TEXT_KEYS), weights, 'text')


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
        """Embed uint8 RGB images (B, 3, S, S) as (B, E) of unit length."""
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
    vit = _rename(visual, _IMAGE_KEYS)
    vit['cls_token'] = vit['cls_token'].view(1, 1, -1)
    vit['pos_embed'] = vit['pos_embed'].unsqueeze(0)
    vit = {f'vit.{key}': value for key, value in vit.items()}
    return _load(encoder, {**vit, 'proj': proj}, weights, 'image')


def load_photo(path: PathLike, size: int) -> Tensor:
    """A photo as CLIP sees it, before normalisation.

    The short side is brought to ``size`` pixels by bicubic interpolation,
    then the centre is cut out.

    Args:
        path (str | PathLike): An image file of any kind.
        size (int): Side of the result in pixels.

    Returns:
        Tensor: uint8 RGB, (3, size, size).

    Raises:
        DataError: If the file is damaged or not an image.
    """
    try:
        with Image.open(path) as file:
            image = Image.fromarray(to_rgb(file))
    except (OSError, SyntaxError, ValueError,
            Image.DecompressionBombError) as error:
        raise DataError(f'{path}: damaged or not an image ({error}); replace '
                        'it or take it off the list') from error
    short = min(image.size)
    width, height = (size * side // short for side in image.size)
    image = image.resize((width, height), Image.BICUBIC)
    left, top = round((width - size) / 2), round((height - size) / 2)
    image = image.crop((left, top, left + size, top + size))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def _collect_phrases(
        classes: Classes,
        synonyms: Optional[Mapping[str, Sequence[str]]]) -> ClassPrompts:
    """Phrases of each class, from all the ways to name classes."""
    if isinstance(classes, str):
        phrases = get_class_prompts(classes)
    elif isinstance(classes, Mapping):
        phrases = {name: _as_words(words) for name, words in classes.items()}
    else:
        phrases = {name: (name, ) for name in classes}
        if len(phrases) != len(classes):
            twice = next(name for name in phrases
                         if list(classes).count(name) > 1)
            raise DataError(f'class {twice!r} is named twice; remove one')
    for name, words in (synonyms or {}).items():
        if name not in phrases:
            raise DataError('synonyms: ' +
                            unknown_name('class', name, phrases))
        phrases[name] = tuple(
            dict.fromkeys([*phrases[name], *_as_words(words)]))
    if not phrases:
        raise DataError('no classes; name at least one')
    for name, words in phrases.items():
        if not words or not all(word.strip() for word in words):
            raise DataError(f'class {name!r}: an empty phrase; give the words '
                            'that stand for it in a prompt')
    return phrases


def _as_words(words: Union[str, Sequence[str]]) -> Tuple[str, ...]:
    return (words, ) if isinstance(words, str) else tuple(words)


def _encode_prompts(encoder: CLIPTextEncoder, prompts: List[str],
                    batch_size: int = 256) -> Dict[str, Tensor]:
    """Unit-length embedding (E,) of each prompt."""
    # One place more than the model has, to see what would be cut off.
    tokens = tokenize(prompts, context_length=encoder.num_pos + 1)
    too_long = tokens[:, -1].nonzero()
    if len(too_long):
        raise DataError(f'prompt {prompts[int(too_long[0])]!r}: longer than '
                        f'the {encoder.num_pos} tokens CLIP reads; shorten it')
    tokens = tokens[:, :-1]
    vectors = []
    with warnings.catch_warnings():
        # mmcv warns that all attentions of a layer share the mask.
        warnings.simplefilter('ignore', UserWarning)
        for batch in tokens.split(batch_size):
            vectors.append(encoder.encode_text(batch, normalize=True).cpu())
    return dict(zip(prompts, torch.cat(vectors)))


def _encode_photos(encoder: CLIPImageEncoder, photos: Dict['_Key', str],
                   batch_size: int, num_workers: int, parts: '_Parts',
                   save_interval: float) -> None:
    """Fill ``parts``; what is finished is kept whatever happens."""
    saved = time.monotonic()
    keys = iter(photos)
    try:
        batches = _load_batches(list(photos.values()), batch_size,
                                encoder.image_size, num_workers)
        for images in track(batches, f'Embedding {len(photos)} photos',
                            total=math.ceil(len(photos) / batch_size)):
            vectors = encoder(images).cpu().numpy()
            parts.add(dict(zip(islice(keys, len(vectors)), vectors)))
            if time.monotonic() - saved >= save_interval:
                parts.save()
                saved = time.monotonic()
    finally:
        parts.save()


def _load_batches(paths: List[str], batch_size: int, size: int,
                  num_workers: int) -> Iterator[Tensor]:
    """Batches (B, 3, size, size) in order, read ahead by threads."""
    with ThreadPoolExecutor(max(num_workers, 1)) as pool:
        ahead = deque()
        for start in range(0, len(paths), batch_size):
            ahead.append([pool.submit(load_photo, path, size)
                          for path in paths[start:start + batch_size]])
            if len(ahead) > 2:
                yield torch.stack([job.result() for job in ahead.popleft()])
        while ahead:
            yield torch.stack([job.result() for job in ahead.popleft()])


# A photo's name and the size of its file in bytes: a photo that was replaced
# between two runs, or one of that name from another folder, is done again.
_Key = Tuple[str, int]
# A part, or what a killed run left of one.
_PART_FILE = re.compile(r'\d{6}\.npz(\.\d+\.tmp)?')


class _Parts:
    """Finished embeddings of a run that may be interrupted.

    Each saving adds one file to a folder; no file is ever changed.

    Args:
        folder (str): Where the files are.
        digest (str): Fingerprint of the weights; parts made with others are
            not used.
        resume (bool): False removes what an earlier run left.
    """

    def __init__(self, folder: str, digest: str, resume: bool) -> None:
        self.folder = folder
        self.digest = digest
        self.rows: Dict[_Key, np.ndarray] = {}
        self._new: Dict[_Key, np.ndarray] = {}
        if not resume:
            self.remove()
        files = sorted(os.listdir(folder)) if osp.isdir(folder) else []
        files = [file for file in files if _PART_FILE.fullmatch(file)
                 and file.endswith('.npz')]
        self._next = int(files[-1].split('.')[0]) + 1 if files else 0
        for file in files:
            self._read(osp.join(folder, file))

    def _read(self, path: str) -> None:
        try:
            with np.load(path, allow_pickle=False) as part:
                if str(part['weights']) != self.digest:
                    print_log(f'{path}: from other weights, not used',
                              'current')
                    return
                keys = zip(part['names'].tolist(), part['sizes'].tolist())
                self.rows.update(zip(keys, part['embeddings']))
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile,
                zlib.error) as error:
            print_log(f'{path}: cannot be read ({error}), done again',
                      'current')

    def add(self, rows: Dict[_Key, np.ndarray]) -> None:
        """Take finished embeddings, to be saved with the next part."""
        self.rows.update(rows)
        self._new.update(rows)

    def save(self) -> None:
        """Write what was added since the last time."""
        if not self._new:
            return
        os.makedirs(self.folder, exist_ok=True)
        names, sizes = zip(*self._new)
        _save_npz(
            osp.join(self.folder, f'{self._next:06d}.npz'),
            names=np.array(names),
            sizes=np.array(sizes, dtype=np.int64),
            embeddings=np.stack(list(self._new.values())),
            weights=np.array(self.digest))
        self._next += 1
        self._new = {}

    def remove(self) -> None:
        """Remove all parts, and the folder unless others use it."""
        if not osp.isdir(self.folder):
            return
        for file in os.listdir(self.folder):
            if _PART_FILE.fullmatch(file):
                os.remove(osp.join(self.folder, file))
        if not os.listdir(self.folder):
            os.rmdir(self.folder)


def _check_photos(paths: Sequence[PathLike]) -> Dict[_Key, str]:
    """Photos by name and file size, in order; all exist, names differ."""
    photos: Dict[_Key, str] = {}
    names: Dict[str, str] = {}
    for path in map(os.fspath, paths):
        name = osp.splitext(osp.basename(path))[0]
        if not osp.isfile(path):
            raise DataError(f'{path}: no such photo; correct the path or take '
                            'it off the list')
        if name in names:
            raise DataError(f'{path}: the name {name!r} is taken by '
                            f'{names[name]}; each photo needs its own name')
        names[name] = path
        photos[name, osp.getsize(path)] = path
    if not photos:
        raise DataError('no photos to embed; name at least one')
    return photos


def _check_out_file(out_file: PathLike) -> str:
    """Find out now, not after the work, that a file can be written."""
    out_file = os.fspath(out_file)
    folder = osp.dirname(out_file) or '.'
    if osp.isdir(out_file):
        raise DataError(f'{out_file}: is a folder; name an .npz file')
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise DataError(f'{folder}: cannot be made ({error}); choose another '
                        'place for the output') from error
    if not os.access(folder, os.W_OK):
        raise DataError(f'{folder}: cannot be written to; choose another '
                        'place for the output')
    return out_file


def _save_npz(path: str, **arrays: np.ndarray) -> None:
    """Write an ``.npz`` that is there whole or not at all."""
    temporary = f'{path}.{os.getpid()}.tmp'
    try:
        with open(temporary, 'wb') as file:
            np.savez(file, **arrays)
        os.replace(temporary, path)
    finally:
        if osp.exists(temporary):
            os.remove(temporary)


def _device(name: Optional[str]) -> torch.device:
    if name is None:
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    return torch.device(name)


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
    state = _rename(state, _OPENAI_KEYS)
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


def _rename(state: StateDict, table: Sequence[Tuple[str, str]]) -> StateDict:
    renamed = {}
    for key, value in state.items():
        for pattern, replacement in table:
            key = re.sub(pattern, replacement, key)
        renamed[key] = value
    return renamed


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


def _load(model: nn.Module, state: StateDict, weights: PathLike,
          part: str) -> nn.Module:
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


def _digest(encoder: CLIPImageEncoder) -> str:
    """Fingerprint of the weights, to know them again after a break."""
    digest = hashlib.sha256()
    for value in encoder.state_dict().values():
        digest.update(value.cpu().contiguous().numpy())
    return digest.hexdigest()


def _name_model(state: StateDict, weights: PathLike) -> str:
    """'CLIP ViT-B/16' if the photo part is there, else by the file name."""
    if 'visual.conv1.weight' not in state or 'visual.proj' not in state:
        return f'CLIP ({osp.basename(os.fspath(weights))})'
    width, _, patch_size, _ = state['visual.conv1.weight'].shape
    length = state['visual.positional_embedding'].shape[0]
    size = math.isqrt(length - 1) * patch_size
    letter = {768: 'B', 1024: 'L'}.get(width, width)
    resolution = '' if size == 224 else f'@{size}px'
    return f'CLIP ViT-{letter}/{patch_size}{resolution}'
