"""How alike the patch tokens of a ViT become from layer to layer."""
import copy
import os.path as osp
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import Tensor, nn

from mmwsss.files.atomic import require_writable
from mmwsss.files.checkpoints import load_weights
from mmwsss.files.json_files import write_json
from mmwsss.files.photos import read_photo
from mmwsss.models.backbones import TokenViT
from mmwsss.parallel.progress import progress_bar
from mmwsss.problems import ConfigError
from mmwsss.registry import MODELS, forget_pretrained
from mmwsss.visualization import (
    draw_curves,
    heat_overlay,
    picture_sheet,
    write_picture,
)

Run = Tuple[str, Config, str]


def analyse_over_smoothing(runs: Sequence[Run], photos: Sequence[str],
                           out_dir: str, pictures: int = 8) -> dict:
    """Patch similarity by layer, and class-token attention, of checkpoints.

    Over-smoothing: the deeper the layer, the more alike all patch tokens
    (ToCo, Figure 2; attention as in its supplement, Figure 5). Written to
    ``out_dir``: ``over_smoothing.json``, ``over_smoothing.png`` and
    ``attention.png``.

    Args:
        runs (Sequence[tuple]): Name, config and checkpoint of each.
        photos (Sequence[str]): Paths of photos.
        out_dir (str): Where to write.
        pictures (int): Photos whose attention is shown. Defaults to 8.

    Returns:
        dict: Name -> mean cosine similarity of two patch tokens of a photo,
        by layer.

    Raises:
        ConfigError: If there is no photo, or a model has no ViT.
    """
    out_dir = require_writable(out_dir)
    if not photos:
        raise ConfigError('no photo to look at')
    models = {name: _load(cfg, checkpoint) for name, cfg, checkpoint in runs}
    similarity: Dict[str, List[float]] = {}
    rows = [[(osp.basename(path), read_photo(path, lenient=True))]
            for path in photos[:pictures]]
    for name, model in models.items():
        total = torch.tensor(0.)
        with progress_bar(name, len(photos)) as advance:
            for i, path in enumerate(photos):
                photo = read_photo(path, lenient=True)
                by_layer, attention = look(model, photo)
                total = total + by_layer
                if i < len(rows):
                    rows[i].append((name, heat_overlay(
                        photo, attention.numpy())))
                advance(1)
        similarity[name] = (total / len(photos)).tolist()
    write_json(osp.join(out_dir, 'over_smoothing.json'), similarity)
    layers = max(map(len, similarity.values()))
    padded = {name: values + [float('nan')] * (layers - len(values))
              for name, values in similarity.items()}
    draw_curves(osp.join(out_dir, 'over_smoothing.png'),
                range(1, layers + 1), padded,
                dict(xlabel='layer',
                     ylabel='mean cosine of two patch tokens'), marker='o')
    write_picture(osp.join(out_dir, 'attention.png'),
                  picture_sheet(rows, columns=1))
    return similarity


def _load(cfg: Config, checkpoint: str) -> nn.Module:
    model_cfg = copy.deepcopy(cfg.model)
    forget_pretrained(model_cfg)
    model = MODELS.build(model_cfg)
    if not isinstance(getattr(model, 'backbone', None), TokenViT):
        raise ConfigError(f'{cfg.filename}: the model has no ViT backbone '
                          '(TokenViT)')
    load_weights(model, checkpoint)
    return model.eval()


@torch.no_grad()
def look(model: Any, photo: np.ndarray) -> Tuple[Tensor, Tensor]:
    """One photo through the backbone of a model.

    Args:
        model (BaseModel): With a token ViT as ``backbone``.
        photo (np.ndarray): RGB, uint8, (H, W, 3).

    Returns:
        tuple[Tensor, Tensor]: Mean cosine of two different patch tokens by
        layer, (layers, ), and the last layer's attention from the class
        tokens to the patches, scaled to [0, 1], (H, W).
    """
    vit = model.backbone
    image = torch.from_numpy(photo[..., ::-1].copy()).permute(2, 0, 1)
    inputs = model.data_preprocessor(
        dict(inputs=[image], data_samples=None))['inputs']
    patch = vit.patch_embed.projection.stride[0]
    inputs = F.interpolate(
        inputs, [max(patch, side // patch * patch) for side in
                 inputs.shape[2:]], mode='bilinear')
    grid = [side // patch for side in inputs.shape[2:]]
    with _recorded(vit) as outputs, vit.recorded_attention(1) as logits:
        vit(inputs)
    count = grid[0] * grid[1]
    cosines = torch.stack([_mean_cosine(x[0, -count:]) for x in outputs])
    weights = logits[0][0].softmax(-1)  # (heads, L, L)
    attention = weights[:, :-count, -count:].mean((0, 1)).view(1, 1, *grid)
    attention = F.interpolate(attention, photo.shape[:2], mode='bilinear')
    attention = attention - attention.min()
    return cosines, (attention / attention.max().clamp(min=1e-12))[0, 0]


@contextmanager
def _recorded(vit: Any) -> Iterator[List[Tensor]]:
    """Tokens after each layer of one forward pass."""
    outputs: List[Tensor] = []
    handles = [
        layer.register_forward_hook(
            lambda module, args, output: outputs.append(output))
        for layer in vit.layers]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _mean_cosine(tokens: Tensor) -> Tensor:
    """Mean over all pairs of different tokens, (N, D) -> ()."""
    unit = F.normalize(tokens, dim=-1)
    count = len(unit)
    # The sum over all pairs is the square of the sum.
    return (unit.sum(0).square().sum() - count) / max(count * (count - 1), 1)
