"""What a plan chooses, and why, from the photos, the machine and the time."""
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from mmwsss.datasets.stratified_split import stratified_split
from mmwsss.problems import ConfigError

from .costs import Costs
from .fingerprint import TaggedPhotos
from .run_progress import TITLES, time_text

LEAST_TO_HOLD_OUT = 20
"""With fewer photos none is held out."""
AFFINITY_EPOCHS = 3
_LEAST_SHARE = 0.05  # of the wished training, below which it is senseless
AFFINITY_PHOTOS = 100
"""With fewer to learn from affinity is only learned if asked for."""
_TRAININGS = ('localizer', 'affinity', 'segmentor')


class Choices:
    """Values and the reason of each.

    Attributes:
        values (dict): By name.
        reasons (dict[str, str]): A sentence or two for each.
    """

    def __init__(self) -> None:
        self.values: Dict[str, Any] = {}
        self.reasons: Dict[str, str] = {}

    def choose(self, name: str, value: Any, reason: str) -> Any:
        """Note a value and why it was chosen; returns the value."""
        self.values[name], self.reasons[name] = value, reason
        return value


def choose_classes(choices: Choices, found: TaggedPhotos) -> None:
    """Classes, colours and where the tags are read."""
    choices.choose('classes', found.classes,
                   'All classes that the labels name, sorted; the background '
                   'is always the first.')
    choices.choose('palette', found.palette,
                   'Black for the background, hues far apart for the others.')
    choices.choose('folder', found.folder, 'The photos.')
    choices.choose('label_source', found.label_source,
                   'Found by the kind of the file.')


def hold_out(choices: Choices, found: TaggedPhotos,
             share: float) -> np.ndarray:
    """The photos that nothing learns from, bool, (N, )."""
    count = len(found.names)
    if count < LEAST_TO_HOLD_OUT or share == 0:
        why = ('Asked for with --val-share 0' if share == 0 else
               f'{count} photos are too few to spare some')
        choices.choose('held_out', 0, f'{why}: nothing says how good the '
                       'networks are, and their last checkpoints are taken.')
        return np.zeros(count, dtype=bool)
    held_out = stratified_split(found.labels, share, found.digests)
    choices.choose(
        'held_out', int(held_out.sum()),
        f'{share:.0%} of the photos, every class in proportion (iterative '
        'stratification); the best checkpoint of the localizer is chosen on '
        'them.')
    return held_out


def choose_network(choices: Choices, machine: Dict[str, Any],
                   weights: Optional[str], default: str) -> None:
    """Backbone, its weights, and where it runs."""
    choices.choose('backbone', 'deit-tiny',
                   'The smallest ViT whose maps were measured; it learns in '
                   'minutes on a CPU.')
    if weights is None:
        choices.choose(
            'weights', None,
            'Asked for with --weights none: the networks know nothing to '
            'begin with. Expect maps of little use from fewer than thousands '
            'of photos.')
    else:
        choices.choose(
            'weights', weights, 'ImageNet weights of DeiT, the usual ones.'
            if weights == default else 'Given with --weights.')
    gpu = machine['gpu']
    choices.choose('device', machine['device'],
                   f'{gpu}, {machine["gpu_memory_gb"]} GB.' if gpu else
                   'No GPU is used.')
    choices.choose('amp', bool(gpu), 'Numbers of half the size where they '
                   'do, which makes a GPU faster.' if gpu else
                   'It makes GPUs faster, not a CPU.')
    choices.choose('threads', machine['threads'],
                   f'What PyTorch takes of {machine["cores"]} cores; '
                   'OMP_NUM_THREADS changes it.')
    workers = min(4, machine['cores'] - 1)
    choices.choose('workers', workers,
                   f'Processes that load photos, beside the network on '
                   f'{machine["cores"]} core(s).')


def choose_sizes(choices: Choices, learned: int,
                 sizes: Dict[str, List[int]]) -> None:
    """Sizes in pixels and in photos."""
    gpu = choices.values['amp']
    side = choices.choose(
        'input_side', 224 if gpu else 160,
        'DeiT\'s own side.' if gpu else 'Half the work of 224, for a CPU.')
    longest = max(sizes['median'])
    choices.choose(
        'max_side', min(2 * side, max(side, max(sizes['largest']))),
        f'Twice the input side, as measured on VOC; photos have {longest} '
        'pixels on the median. Larger ones are worked on at this size, masks '
        'have the photo\'s own.')
    batch = 2 ** int(np.log2(np.clip(learned / 4, 1, 16)))
    choices.choose('batch_size', batch,
                   f'{learned} photos to learn from: some batches an epoch, '
                   'and no more than 16 as in the measured runs.')


def choose_training(choices: Choices, learned: int, costs: Costs,
                    budget: Optional[float], affinity: bool = True,
                    asked: bool = False) -> Dict[str, float]:
    """Epochs and iterations that fit into the time.

    The localizer and the segmentor shrink by the same factor; learned
    affinity is left out first, unless it is asked for.

    Args:
        choices (Choices): Of all that comes before; these are added.
        learned (int): Number of photos to learn from.
        costs (Costs): Of this machine.
        budget (float, optional): Seconds for everything; None: no limit.
        affinity (bool): Whether it may be chosen.
        asked (bool): Whether it is chosen in any case. Defaults to False.

    Returns:
        dict[str, float]: Seconds of each stage.

    Raises:
        ConfigError: If the time is too short, naming the least.
    """
    batch, held_out = (choices.values[name]
                       for name in ('batch_size', 'held_out'))
    # As many photos are seen as in the measured runs on VOC, where there are
    # fewer more often.
    epochs = int(np.clip(12000 / learned, 5, 100))
    iterations = int(np.clip(15 * learned, 3000, 320000) / batch)

    def seconds(factor: float, with_affinity: bool = False
                ) -> Tuple[int, int, Dict[str, float]]:
        fewer = max(1, int(epochs * factor)), max(5, int(iterations * factor))
        return (*fewer, costs.seconds(
            learned, held_out, batch, *fewer,
            AFFINITY_EPOCHS if with_affinity else 0))

    # A tenth is kept for what was not measured.
    limit = float('inf') if budget is None else 0.9 * budget
    least = sum(seconds(_LEAST_SHARE, asked)[2].values())
    if least > limit:
        should = sum(seconds(1., asked)[2].values())
        raise ConfigError(
            f'--time-budget {time_text(budget or 0)}: too short; these photos '
            f'take {time_text(least / 0.9)} at least on this machine, and '
            f'{time_text(should)} as they should. Give more, or fewer photos')
    wished = seconds(1., True)[2]
    use_affinity = asked or (affinity and learned >= AFFINITY_PHOTOS
                             and sum(wished.values()) <= limit)
    choices.choose('affinity', use_affinity, _why_affinity(
        affinity, learned, sum(wished.values()), limit, asked))
    choices.choose('affinity_epochs', AFFINITY_EPOCHS if use_affinity else 0,
                   "IRN's own number." if use_affinity else 'No affinity.')
    factor = 1.
    if sum(seconds(1., use_affinity)[2].values()) > limit:
        factor, high = _LEAST_SHARE, 1.
        for _ in range(20):  # bisection
            middle = (factor + high) / 2
            if sum(seconds(middle, use_affinity)[2].values()) <= limit:
                factor = middle
            else:
                high = middle
    epochs, iterations, stages = seconds(factor, use_affinity)
    why = ('as many as should be' if factor == 1 else
           f'{factor:.0%} of a full training, to stay within '
           f'{time_text(limit)}')
    total = sum(stages.values())
    shares = ', '.join(f'{time_text(stages[name])} for {TITLES[name]}'
                       for name in _TRAININGS if name in stages)
    choices.choose('localizer_epochs', epochs, f'{why.capitalize()}.')
    choices.choose('segmentor_iterations', iterations, f'{why.capitalize()}.')
    choices.choose(
        'time_seconds', round(total),
        f'{shares}; the rest for maps, masks and the test. Steps of the '
        'networks were timed on this machine.')
    return {name: round(value, 1) for name, value in stages.items()}


def _why_affinity(allowed: bool, learned: int, wished: float,
                  limit: float, asked: bool) -> str:
    if asked:
        return 'Given with --affinity.'
    if not allowed:
        return 'Not asked for.'
    if learned < AFFINITY_PHOTOS:
        return (f'{learned} photos are fewer than the {AFFINITY_PHOTOS} from '
                'which on boundaries are learned.')
    if wished > limit:
        return (f'With it everything takes {time_text(wished)}, more than '
                f'{time_text(limit)}; --affinity learns it all the same, and '
                'shortens the rest.')
    return 'IRN makes the maps end where objects end; there is time for it.'
