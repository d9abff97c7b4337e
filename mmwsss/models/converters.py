"""Published checkpoints under this project's parameter names."""
import re
from dataclasses import dataclass
from typing import Dict, List, Tuple

from torch import Tensor, nn

from mmwsss.models.checkpoint import VIT_KEYS, rename_keys
from mmwsss.problems import DataError


@dataclass(frozen=True)
class Layout:
    """How a published code names its weights.

    Attributes:
        rename: (pattern, replacement) pairs, applied to each key in order.
        drop: (pattern, reason) of keys that have no place here.
    """
    rename: Tuple[Tuple[str, str], ...]
    drop: Tuple[Tuple[str, str], ...] = ()


def _within(prefix: str, table: Tuple[Tuple[str, str], ...]
            ) -> Tuple[Tuple[str, str], ...]:
    """A table for keys that all begin with ``prefix``."""
    return tuple((rf'^{re.escape(prefix)}{pattern.lstrip("^")}',
                  prefix + replacement) for pattern, replacement in table)


TOCO = Layout(
    rename=(
        (r'^encoder\.', 'backbone.'),
        *_within('backbone.', VIT_KEYS),
        (r'^decoder\.conv6\.', 'decode_head.first.'),
        (r'^decoder\.conv7\.', 'decode_head.second.'),
        (r'^decoder\.conv8\.', 'decode_head.conv_seg.'),
        (r'^proj_head_t\.', 'teacher.'),
        (r'^proj_head\.', 'projection.'),
        (r'\.last_layer\.weight_g$', '.last_length'),
        (r'\.last_layer\.weight_v$', '.last_direction'),
    ),
    drop=((r'^encoder\.head\.', "ImageNet's classifier, which nothing uses"),))


def convert(state: Dict[str, Tensor],
            layout: Layout) -> Tuple[Dict[str, Tensor], List[str]]:
    """Rename the weights of a published checkpoint.

    Args:
        state (dict): Its weights.
        layout (Layout): How it names them.

    Returns:
        tuple: The weights under our names, and the keys left out.
    """
    dropped = sorted(key for key in state if any(
        re.search(pattern, key) for pattern, _ in layout.drop))
    kept = {key: value for key, value in state.items() if key not in dropped}
    return rename_keys(kept, layout.rename), dropped


def check_converted(state: Dict[str, Tensor], model: nn.Module,
                    source: str) -> None:
    """Raise unless converted weights are exactly those of a model.

    Raises:
        DataError: Naming what is missing, left over or of another shape.
    """
    own = model.state_dict()
    wrong = [f'{key} is missing' for key in own if key not in state]
    wrong += [f'{key} is left over' for key in state if key not in own]
    wrong += [f'{key} is {tuple(state[key].shape)}, the config needs '
              f'{tuple(value.shape)}' for key, value in own.items()
              if key in state and state[key].shape != value.shape]
    if wrong:
        raise DataError(f'{source} does not fit the config: {len(wrong)} '
                        f'differences, first: {wrong[0]}')
