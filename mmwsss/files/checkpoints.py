"""The one door for weights on disk: read without code, checked, loaded."""
import argparse
import hashlib
import os
import pickle
import re
from collections import OrderedDict
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Union,
)
from urllib.parse import urlparse

import torch
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from mmwsss.problems import DataError

from .pickle_scan import check_pickle
from .result_classes import first_difference

StateDict = Dict[str, Tensor]


class DamagedCheckpointError(DataError):
    """A file of weights that was cut short or changed."""


CONVERTER = ('a checkpoint of other code is converted by '
             'tools/convert_weights.py (--list shows the layouts)')
# Where known code keeps the weights inside what it saves, the first that is
# there counts: mmengine; DeiT; DINO; Lightning, timm; averages of weights.
_CONTAINERS = ('state_dict', 'model', 'teacher', 'model_state_dict',
               'model_state', 'module', 'model_ema', 'state_dict_ema',
               'ema_state_dict', 'ema', 'net', 'network', 'weights', 'params')
# What wrappers put before every name: Lightning's and averaged models.
_WRAPPERS = ('model.', 'ema_model.', 'ema.', 'net.', 'network.', 'teacher.')
# What compiling and training on several devices put there, in any order.
_INSERTED = re.compile(r'^(?:(?:_orig_mod|module|_fsdp_wrapped_module)\.)+')
# How files that are no checkpoints begin, and what can be done.
_OTHER_KINDS = (
    (rb'\s*<(?:!DOCTYPE|html|\?xml)', 'a web page, not the file that it '
     'offers; open it in a browser and save the file itself'),
    (rb'version https://git-lfs', 'a pointer of Git LFS; fetch the file with '
     '"git lfs pull"'),
    (rb'.{8}\{\s*"', 'a safetensors file; convert it: torch.save('
     'safetensors.torch.load_file(FILE), "weights.pth")'))
# Counters that averaged models of torch and mmengine keep.
_COUNTERS = ('n_averaged', 'steps')
_ROOM = 2**30  # bytes that weights may take whatever the file's size is


def read_checkpoint(source: Union[str, os.PathLike[str]]) -> dict:
    """Read a ``.pth`` file from a path or URL; its pickle cannot run code.

    Tensors, containers, numbers, strings and what mmengine's Runner stores in
    its checkpoints are accepted; any other object is refused, and so are
    tensors that would take more memory than the file can account for. A URL
    is downloaded once into torch hub's cache.

    Args:
        source (str | PathLike): Path or http(s) URL.

    Returns:
        dict: The checkpoint as saved.

    Raises:
        FileNotFoundError: If the path does not exist or the URL cannot be
            downloaded.
        DataError: If the file is not a checkpoint or holds foreign objects.
    """
    source = os.fspath(source)
    path = local_weights(source)
    _check_kind(source, path)
    try:
        check_pickle(path)
        with torch.serialization.safe_globals(_runner_globals()):
            checkpoint = torch.load(path, map_location='cpu',
                                    weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(
            f'checkpoint {_where(source, path)}: not a readable weights file, '
            f'or it asks to run code ({_reason(error)}). Use a file of plain '
            f'tensors; {CONVERTER}') from error
    except Exception as error:  # a damaged file can raise anything
        raise DamagedCheckpointError(
            f'checkpoint {_where(source, path)}: damaged, cut short or no '
            f'weights file ({_content(path) or _reason(error)}). Copy or make '
            'it again, or name a .pth file') from error
    if not isinstance(checkpoint, dict):
        raise DataError(f'checkpoint {source}: expected a dict of tensors, '
                        f'got {type(checkpoint).__name__}; {CONVERTER}')
    _check_memory(checkpoint, os.path.getsize(path), source)
    return checkpoint


def _check_kind(source: str, path: str) -> None:
    """Raise for files of another kind that are often taken for weights."""
    with open(path, 'rb') as file:
        head = file.read(64)
    for pattern, remedy in _OTHER_KINDS:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE):
            raise DataError(f'checkpoint {_where(source, path)}: {remedy}')


def _content(path: str) -> Optional[str]:
    """What a file holds that does not begin as weights do.

    What the reader of weights says of it is for programmers.
    """
    with open(path, 'rb') as file:
        head = file.read(1024)
    if not head:
        return 'it is empty'
    if head.startswith((b'PK', b'\x80')):  # archives and pickles of torch
        return None
    text = not any(byte < 9 or 13 < byte < 32 for byte in head)
    return 'it holds text' if text else 'it begins otherwise'


def _where(source: str, path: str) -> str:
    return f'{source} (here {path})' if is_url(source) else source


def _reason(error: Exception) -> str:
    """What torch says, without its advice."""
    text = ' '.join(str(error).split()) or type(error).__name__
    asked = re.search(r'GLOBAL (\S+)', text)
    return f'it asks for {asked[1]}' if asked else text[:160]


def is_url(source: str) -> bool:
    """Whether a source of weights is to be downloaded."""
    return urlparse(source).scheme in ('http', 'https')


def cached_path(url: str) -> str:
    """Where the file of a URL is kept, under torch hub's folder.

    Part of the name is a digest of the URL, as many a file is called
    ``checkpoint.pth``.
    """
    stem, end = os.path.splitext(os.path.basename(urlparse(url).path))
    digest = hashlib.sha256(url.encode()).hexdigest()[:12]
    return os.path.join(torch.hub.get_dir(), 'checkpoints',
                        f'{stem or "weights"}-{digest}{end or ".pth"}')


def local_weights(source: str) -> str:
    """Where a file of weights is on this machine.

    Args:
        source (str): Path or http(s) URL, which is downloaded once.

    Returns:
        str: Its path.

    Raises:
        FileNotFoundError: If the path does not exist or the URL cannot be
            downloaded.
        DataError: If it is a folder.
    """
    path = os.path.expanduser(source)
    if is_url(source):
        path = _download(source)
    if os.path.isdir(path):
        raise DataError(f'checkpoint {source}: is a folder; name a file in it')
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'checkpoint {source}: no such file. Give the path of a .pth file '
            'or an http(s) URL.')
    return path


def _download(url: str) -> str:
    path = cached_path(url)
    if not os.path.isfile(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        print_log(f'Downloading {url} to {path}', 'current')
        try:
            torch.hub.download_url_to_file(url, path)
        except OSError as error:
            raise FileNotFoundError(
                f'checkpoint {url}: download failed ({error}). Fetch it by '
                f'hand and give its path, or place it at {path}.') from error
    return path


def _history_method(owner: type, name: str) -> object:
    """What ``getattr`` means in a Runner's checkpoint, and nothing else."""
    from mmengine.logging.history_buffer import HistoryBuffer
    if owner is not HistoryBuffer or name.startswith('_'):
        raise pickle.UnpicklingError(f'attribute {name} of {owner}')
    return getattr(owner, name)


def _empty_array(kind: type, shape: tuple, dtype: object) -> object:
    """What numpy's pickles begin an array with; its bytes follow."""
    import numpy as np
    if kind is not np.ndarray or tuple(shape) != (0, ):
        raise pickle.UnpicklingError(f'an array made as {kind} of {shape}')
    return np.ndarray((0, ), 'b')


def _number(dtype: Any, content: bytes) -> object:
    """A numpy number out of its bytes."""
    import numpy as np
    if dtype.hasobject or len(content) != dtype.itemsize:
        raise pickle.UnpicklingError(f'a number of type {dtype}')
    return np.frombuffer(content, dtype)[0]


def _runner_globals() -> List[Any]:
    """Classes in checkpoints of mmengine's Runner, and of DINO."""
    import numpy as np
    from mmengine.logging.history_buffer import HistoryBuffer
    names = [(function, f'numpy.{core}.multiarray.{name}')
             for core in ('core', '_core')  # before numpy 2, and since
             for function, name in ((_empty_array, '_reconstruct'),
                                    (_number, 'scalar'))]
    return [
        HistoryBuffer, np.ndarray, np.dtype, *names,
        (_history_method, 'builtins.getattr'), slice,
        argparse.Namespace,  # DINO's arguments, plain values
    ] + [type(np.dtype(kind)) for kind in (
        'bool', 'uint8', 'int32', 'int64', 'uint32', 'float16', 'float32',
        'float64')]


def _check_memory(checkpoint: dict, size: int, source: str) -> None:
    """Raise for tensors that are much larger than what the file holds.

    A tensor of a few bytes can be expanded to any size; the first that makes
    a copy of it runs out of memory.
    """
    total = 0
    for tensor in _tensors(checkpoint):
        if (tensor.layout is not torch.strided or tensor.is_meta
                or tensor.is_quantized or tensor.is_nested):
            raise DataError(f'checkpoint {source}: holds a tensor that is not '
                            'plain (sparse, quantized, nested or empty of '
                            'values); save plain tensors')
        total += tensor.numel() * tensor.element_size()
        if total > 4 * size + _ROOM:
            raise DataError(
                f'checkpoint {source}: with a tensor of shape '
                f'{tuple(tensor.shape)} it would take more than {total:,} '
                f'bytes of memory, the file has {size:,}; save it without '
                'expanded tensors')


def _tensors(content: object) -> Iterator[Tensor]:
    """All tensors in nested containers, each container once."""
    seen, waiting = set(), [content]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Tensor):
            yield node
        elif isinstance(node, (dict, list, tuple, set)):
            if id(node) not in seen:
                seen.add(id(node))
                waiting += node.values() if isinstance(node, dict) else node


def read_weights(source: Union[str, os.PathLike[str]]) -> StateDict:
    """Every weight of a checkpoint, whatever it is wrapped in; checked.

    Args:
        source (str | PathLike): Path or URL of the ``.pth``.

    Returns:
        dict[str, Tensor]: See :func:`all_weights`.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If it is no checkpoint, asks to run code or holds weights
            that are not finite.
    """
    return all_weights(read_checkpoint(source), os.fspath(source))


def backbone_weights(source: Union[str, os.PathLike[str]]) -> StateDict:
    """The weights of a backbone; what is not of it is left out.

    Args:
        source (str | PathLike): Path or URL of the ``.pth``. Where names
            begin with ``backbone.``, these are taken, without it.

    Returns:
        dict[str, Tensor]: The weights by name.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: See :func:`read_weights`.
    """
    state = read_weights(source)
    prefix = 'backbone.'
    inner = {k[len(prefix):]: v for k, v in state.items()
             if k.startswith(prefix)}
    return inner or state


def all_weights(checkpoint: dict, source: str) -> StateDict:
    """Every weight of a checkpoint, without what wrappers add to names.

    Understands bare state dicts, those under ``state_dict`` (mmengine),
    ``model`` (DeiT), ``teacher`` (DINO) and other known names, averaged and
    wrapped models. What is no tensor is no weight.

    Args:
        checkpoint (dict): From :func:`read_checkpoint`.
        source (str): Where it comes from, for errors.

    Returns:
        dict[str, Tensor]: The weights by name.

    Raises:
        DataError: If some are not finite.
    """
    content: Any = checkpoint
    for _ in range(4):  # a container in a container
        inner = [content[name] for name in _CONTAINERS
                 if isinstance(content.get(name), dict) and content[name]]
        if not inner:
            break
        content = inner[0]
    metadata = getattr(content, '_metadata', None)
    state: StateDict = OrderedDict(
        (_INSERTED.sub('', key), value)
        for key, value in content.items()
        if isinstance(key, str) and isinstance(value, Tensor))
    if any(key.startswith('module.') for key in content
           if isinstance(key, str)):
        for name in _COUNTERS:
            state.pop(name, None)
    if isinstance(metadata, dict):  # versions of modules
        state._metadata = metadata  # type: ignore[attr-defined]
    for prefix in _WRAPPERS:
        if state and all(key.startswith(prefix) for key in state):
            state = {_INSERTED.sub('', key[len(prefix):]): value
                     for key, value in state.items()}
    _check_finite(state, source)
    return state


def _check_finite(state: StateDict, source: str) -> None:
    """Raise for NaN; and for infinity, but where a mask is made of it."""
    bad = [key for key, value in state.items()
           if (value.is_floating_point() or value.is_complex())
           and not _finite(value, 'mask' in key.rsplit('.', 1)[-1])]
    if bad:
        raise DataError(
            f'checkpoint {source}: {len(bad)} of {len(state)} weights hold '
            f'NaN or infinity, first: {bad[0]}. Its training went wrong; take '
            'an earlier checkpoint')


def _finite(value: Tensor, mask: bool) -> bool:
    if value.is_floating_point() and value.element_size() == 1:
        value = value.float()  # float8 has no isfinite
    for dim, stride in enumerate(value.stride()):
        if not stride:  # expanded: the same numbers again
            value = value.narrow(dim, 0, min(1, value.shape[dim]))
    bad = torch.isnan(value) if mask else ~torch.isfinite(value)
    return not bool(bad.any())


def load_weights(model: nn.Module, path: str,
                 classes: Sequence[str] = ()) -> None:
    """Load every weight of a checkpoint that this project wrote.

    Args:
        model (nn.Module): The model that the config describes.
        path (str): Path or URL of the checkpoint.
        classes (Sequence[str]): Class names of the data set; compared with
            those that the checkpoint was trained for, where it names them.
            Defaults to none: not compared.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If classes, names, shapes or types differ.
    """
    take_weights(model, read_checkpoint(path), path, classes)


def take_weights(model: nn.Module, checkpoint: dict, source: str,
                 classes: Sequence[str] = ()) -> None:
    """:func:`load_weights` for a checkpoint that was read.

    Args:
        model (nn.Module): The model that the config describes.
        checkpoint (dict): From :func:`read_checkpoint`.
        source (str): Where it comes from, for errors.
        classes (Sequence[str]): See :func:`load_weights`.

    Raises:
        DataError: If classes, names, shapes or types differ.
    """
    if is_model_wrapper(model):
        model = model.get_submodule('module')
    check_classes(checkpoint, source, classes)
    state = all_weights(checkpoint, source)
    own = model.state_dict()
    wrong = [
        f'{key} is {tuple(state[key].shape)}, expected {tuple(value.shape)}'
        for key, value in own.items()
        if key in state and state[key].shape != value.shape
    ]
    wrong += [f'{key} is {_type(state[key])}, expected {_type(value)}'
              for key, value in own.items()
              if key in state and not _fits(state[key], value)]
    wrong += [f'{key} is missing' for key in own if key not in state]
    wrong += [f'{key} is not in the model' for key in state if key not in own]
    if wrong:
        known = sum(key in own for key in state)
        raise DataError(
            f'checkpoint {source} does not fit the config: {len(wrong)} '
            f'differences, first: {wrong[0]}. ' + (
                'Use the config that it was trained with (class count, arch, '
                'parts switched on); weights for the backbone alone go to '
                "the backbone's `pretrained`" if 2 * known >= len(own) else
                f'{known} of {len(state)} names are those of the model; '
                f'{CONVERTER}'))
    model.load_state_dict(state)
    print_log(f'Loaded weights from {source}', 'current')


def _type(value: Tensor) -> str:
    return str(value.dtype).removeprefix('torch.')


def _fits(value: Tensor, own: Tensor) -> bool:
    """Whether a weight is of the kind that the model has: number or count."""
    if value.is_floating_point() and not own.is_floating_point():
        # Whole models are cast to half precision, counters and all.
        value = value.float()
        return not own.is_complex() and bool((value == value.round()).all())
    return (value.is_floating_point() == own.is_floating_point()
            and value.is_complex() == own.is_complex())


def check_classes(checkpoint: dict, source: str,
                  classes: Sequence[str]) -> None:
    """Raise if a checkpoint was trained for other classes, or in other order.

    Args:
        checkpoint (dict): From :func:`read_checkpoint`.
        source (str): Where it comes from, for the error.
        classes (Sequence[str]): Those of the config; none: not compared.

    Raises:
        DataError: Naming both.
    """
    trained_for = _trained_for(checkpoint)
    if not classes or not trained_for or list(classes) == trained_for:
        return
    same = sorted(classes) == sorted(trained_for)
    first = first_difference(trained_for, classes)
    shown = [', '.join(names[max(first - 1, 0):first + 3])
             for names in (trained_for, list(classes))]
    raise DataError(
        f'checkpoint {source} was trained for {len(trained_for)} classes '
        f'(..., {shown[0]}, ...), the config has {len(classes)} (..., '
        f'{shown[1]}, ...){" in another order" if same else ""}. Use the '
        'config that it was trained with.')


def _trained_for(checkpoint: Mapping[str, Any]) -> List[str]:
    """The class names in a checkpoint; none if it names none."""
    node: Any = checkpoint
    for key in ('meta', 'dataset_meta', 'classes'):
        node = node.get(key) if isinstance(node, dict) else None
    if not isinstance(node, (list, tuple)):
        return []
    return [str(name) for name in node]


def weights_digest(path: str) -> str:
    """Fingerprint of the weights in a checkpoint, whatever else is in it.

    Args:
        path (str): Path or URL of the checkpoint.

    Returns:
        str: SHA-256 in hexadecimal.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If it is no checkpoint with weights.
    """
    weights = read_weights(path)
    digest = hashlib.sha256()
    for key in sorted(weights):
        digest.update(key.encode())
        # As bytes: numpy has no bfloat16.
        flat = weights[key].contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
