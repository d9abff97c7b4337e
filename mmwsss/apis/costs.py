"""How long a plan takes here: steps of its networks, run and timed."""
import copy
import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmwsss.engine.localize_loop import localized
from mmwsss.registry import DATASETS, MODELS, REFINERS

START = 8.
"""Seconds that a stage takes before its first photo."""


@dataclass
class Costs:
    """Seconds on this machine.

    Attributes:
        localizer_step (float): A batch of the localizer's training.
        maps_photo (float): Maps and mask of a photo.
        segmentor_step (float): A batch of the segmentor's training.
        test_photo (float): A photo at all scales of the test.
        affinity_step (float): A batch of the affinity's training; 0 where it
            was not looked at.
        affinity_photo (float): Confident labels and the walk of a photo.
    """
    localizer_step: float
    maps_photo: float
    segmentor_step: float
    test_photo: float
    affinity_step: float = 0.
    affinity_photo: float = 0.

    def seconds(self, photos: int, held_out: int, batch: int, epochs: int,
                iterations: int, affinity_epochs: int) -> Dict[str, float]:
        """Of every stage, by the name of its folder.

        Args:
            photos (int): To learn from.
            held_out (int): The others.
            batch (int): Photos a batch.
            epochs (int): Of the localizer.
            iterations (int): Of the segmentor.
            affinity_epochs (int): Of the affinity; 0: there is none.
        """
        batches = max(1, photos // batch)
        validations = min(10, epochs) * (held_out + 4) / 2
        stages = dict(
            localizer=epochs * batches * self.localizer_step
            + validations * self.maps_photo,
            pseudo_train=photos * self.maps_photo)
        if held_out:
            stages['pseudo_val'] = held_out * self.maps_photo
        if affinity_epochs:
            stages['affinity'] = (
                affinity_epochs * batches * self.affinity_step
                + photos * self.affinity_photo / 2)
            stages['affinity_train'] = photos * self.affinity_photo / 2
            if held_out:
                stages['affinity_val'] = held_out * self.affinity_photo / 2
        stages['segmentor'] = iterations * self.segmentor_step
        stages['test'] = (held_out or photos) * self.test_photo
        return {name: START + value for name, value in stages.items()}

    def rounded(self) -> Dict[str, float]:
        """As they stand in a plan."""
        return {name: float(f'{value:.3g}')
                for name, value in asdict(self).items()}


def measure_costs(localizer: Config, segmentor: Config,
                  affinity: Optional[Config], device: torch.device,
                  size: Sequence[int]) -> Costs:
    """Run two training steps of each network, and one photo, and time them.

    The networks get the weights that they will begin with, so that a file of
    weights that does not fit shows here.

    Args:
        localizer (Config): Of the plan; its data sets are read.
        segmentor (Config): Of the plan; its masks need not be there.
        affinity (Config, optional): Of the plan; its maps need not be there.
        device (torch.device): Where networks run.
        size (Sequence[int]): Height and width of a photo as it is worked on.
    """
    loader = localizer.train_dataloader
    dataset = DATASETS.build(dict(loader.dataset.to_dict(),
                                  check_images=False))
    batch_size = loader.batch_size
    order = np.resize(np.random.default_rng(0).permutation(len(dataset)),
                      2 * batch_size)
    begin = time.perf_counter()
    samples = [dataset[int(i)] for i in order]
    loading = (time.perf_counter() - begin) / len(samples)
    if loader.num_workers:  # others load while the network works
        loading /= 2 * loader.num_workers
    count = len(dataset.metainfo['classes'])

    model = _built(localizer, device)
    step = _train_step_time(model, [pseudo_collate(samples[:batch_size]),
                                    pseudo_collate(samples[batch_size:])])
    photo = _photo(size)
    photo['data_samples'].set_field(
        copy.deepcopy(samples[0]['data_samples'].gt_label), 'gt_label')
    maps = _predict_time(model, photo, localized)

    network = _built(segmentor, device)
    side = next(one.crop_size for one in segmentor.train_pipeline
                if one.type.endswith('RandomCrop'))
    batches = [_masked_batch(batch_size, side, count) for _ in range(2)]
    found = Costs(
        localizer_step=step + loading * batch_size, maps_photo=maps + loading,
        segmentor_step=_train_step_time(network, batches)
        + loading * batch_size,
        test_photo=loading + _views(segmentor) * _predict_time(
            network, _photo(size), lambda one, batch: one.test_step(batch)))
    if affinity is not None:
        found.affinity_step, found.affinity_photo = _affinity_times(
            affinity, device, size, batch_size, count)
    return found


def _built(cfg: Config, device: torch.device) -> Any:
    model = MODELS.build(copy.deepcopy(cfg.model))
    model.init_weights()
    return model.to(device)


def _photo(size: Sequence[int]) -> Dict[str, Any]:
    """A photo of noise, as a data set gives it."""
    shape = tuple(int(side) for side in size)
    sample = SegDataSample(metainfo=dict(
        ori_shape=shape, img_shape=shape, sample_id='', img_path=''))
    return dict(inputs=torch.randint(0, 256, (3, *shape), dtype=torch.uint8),
                data_samples=sample)


def _masked_batch(count: int, size: Sequence[int], classes: int) -> dict:
    photos = [_photo(size) for _ in range(count)]
    for photo in photos:
        photo['data_samples'].gt_sem_seg = PixelData(data=torch.randint(
            0, classes, (1, *size)))
    return pseudo_collate(photos)


def _train_step_time(model: Any, batches: Sequence[dict]) -> float:
    """Seconds of a step, the median of three after one that warms up."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)
    model.train()
    times = []
    for batch in [*batches, *batches]:
        begin = _now()
        losses = model(**model.data_preprocessor(batch, True), mode='loss')
        loss, _ = model.parse_losses(losses)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(_now() - begin)
    return statistics.median(times[1:])


@torch.no_grad()
def _predict_time(model: Any, photo: dict,
                  predict: Callable[[Any, dict], Any]) -> float:
    model.eval()
    times = []
    for _ in range(4):
        batch = pseudo_collate([copy.deepcopy(photo)])
        begin = _now()
        predict(model, batch)
        times.append(_now() - begin)
    return statistics.median(times[1:])


def _views(segmentor: Config) -> float:
    """What the views of a test take, in views of the photo's own size."""
    steps: List[Any] = []
    for group in segmentor.tta_pipeline[1].transforms:
        steps.append([one.get('scale_factor', 1) ** 2 if
                      one.type == 'Resize' else 1 for one in group])
    return float(np.prod([sum(group) for group in steps]))


def _affinity_times(cfg: Config, device: torch.device, size: Sequence[int],
                    batch_size: int, classes: int) -> Tuple[float, float]:
    """Seconds of a training step, and of a photo's labels and its walk."""
    model = _built(cfg, device)
    pipeline = cfg.train_dataloader.dataset.pipeline
    crop = next(one.crop_size for one in pipeline
                if one.type.endswith('RandomCrop'))
    step = _train_step_time(model, [_masked_batch(batch_size, crop, classes)
                                    for _ in range(2)])
    photo = _photo(size)
    maps = torch.rand(1, *(int(side) for side in size))
    photo['data_samples'].set_field(
        PixelData(metainfo=dict(labels=[0]), data=maps), 'seed_maps')
    walk = _predict_time(model, photo, localized)
    labels = next(one for one in pipeline if one.type == 'ConfidentLabels')
    begin = _now()
    for part in (labels.foreground, labels.background):
        REFINERS.build(dict(part))(photo['inputs'], maps, torch.tensor([0]))
    return step, walk + _now() - begin


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
