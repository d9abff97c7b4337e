"""Loading a trained model's weights into a built one."""
import hashlib

from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import nn

from mmwsss.models.checkpoint import read_checkpoint
from mmwsss.problems import DataError


def load_weights(model: nn.Module, path: str,
                 classes: tuple = ()) -> None:
    """Load every weight of a checkpoint that this project wrote.

    Args:
        model (nn.Module): The model that the config describes.
        path (str): Path or URL of the checkpoint.
        classes (tuple): Class names of the data set; compared with those that
            the checkpoint was trained for, where it names them.

    Raises:
        DataError: If classes, names or shapes differ.
    """
    if is_model_wrapper(model):
        model = model.module
    checkpoint = read_checkpoint(path)
    trained_for = tuple(
        checkpoint.get('meta', {}).get('dataset_meta', {}).get('classes', ()))
    if classes and trained_for and tuple(classes) != trained_for:
        raise DataError(
            f'checkpoint {path} was trained for {len(trained_for)} classes '
            f'({", ".join(trained_for[:4])}, ...), the config has '
            f'{len(classes)} ({", ".join(classes[:4])}, ...). Use the config '
            'that it was trained with.')
    state = checkpoint.get('state_dict', checkpoint)
    own = model.state_dict()
    wrong = [
        f'{key} is {tuple(state[key].shape)}, expected {tuple(value.shape)}'
        for key, value in own.items()
        if key in state and state[key].shape != value.shape
    ]
    wrong += [f'{key} is missing' for key in own if key not in state]
    wrong += [f'{key} is not in the model' for key in state if key not in own]
    if wrong:
        raise DataError(
            f'checkpoint {path} does not fit the config: {len(wrong)} '
            f'differences, first: {wrong[0]}. Use the config that it was '
            'trained with (class count, arch, parts switched on).')
    model.load_state_dict(state)
    print_log(f'Loaded weights from {path}', 'current')


def weights_digest(path: str) -> str:
    """SHA-256 of the weights in a checkpoint, whatever else is in it."""
    weights = read_checkpoint(path)
    weights = weights.get('state_dict', weights)
    digest = hashlib.sha256()
    for key in sorted(weights):
        digest.update(key.encode())
        digest.update(weights[key].contiguous().numpy().tobytes())
    return digest.hexdigest()


def forget_pretrained(node: dict) -> None:
    """Set each ``pretrained`` in a model's config to None, in place.

    For models whose weights come from a checkpoint: those that training
    started from need not be there.
    """
    for key, value in node.items():
        if key == 'pretrained':
            node[key] = None
        elif isinstance(value, dict):
            forget_pretrained(value)
