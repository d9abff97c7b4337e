"""Converting published checkpoints, with everything accounted for."""
import copy
import io
import os.path as osp

import torch
from mmengine.config import Config

from mmwsss.datasets.map_files import write_atomically
from mmwsss.models.checkpoint import read_checkpoint, unwrap_state_dict
from mmwsss.models.converters import Layout, check_converted, convert
from mmwsss.models.weights import forget_pretrained
from mmwsss.registry import MODELS

from .config import require_writable


def convert_checkpoint(cfg: Config, source: str, target: str,
                       layout: Layout) -> None:
    """Write a published checkpoint as one for a config.

    Args:
        cfg (Config): Config whose model the weights are for.
        source (str): Path or URL of the published checkpoint.
        target (str): The ``.pth`` to write.
        layout (Layout): How the published code names its weights.

    Raises:
        DataError: If a weight is missing, left over or of another shape.
    """
    require_writable(osp.dirname(target) or '.')
    state = unwrap_state_dict(read_checkpoint(source))
    state, dropped = convert(state, layout)
    model_cfg = copy.deepcopy(cfg.model)
    forget_pretrained(model_cfg)
    check_converted(state, MODELS.build(model_cfg), source)
    for key in dropped:
        print(f'left out: {key}')
    buffer = io.BytesIO()
    torch.save(dict(state_dict=state), buffer)
    write_atomically(target, buffer.getvalue())
    print(f'{len(state)} weights written to {target}')
