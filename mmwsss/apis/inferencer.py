"""Photos in, masks out, in Python."""
import copy
import logging
import os.path as osp
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from PIL import Image

from mmwsss.datasets.label_files import class_colours
from mmwsss.engine.localize_loop import localized
from mmwsss.evaluation import AutoThreshold
from mmwsss.files.checkpoints import load_weights
from mmwsss.files.maps import MapFile, map_to_mask, resized_maps
from mmwsss.files.masks import write_mask
from mmwsss.files.work_size import fit_mask, fit_photo, work_size
from mmwsss.models.localizers import BaseLocalizer
from mmwsss.problems import ConfigError, DataError, unknown_name
from mmwsss.refiners import RefinerChain
from mmwsss.registry import MODELS, forget_pretrained
from mmwsss.visualization import mask_overlay, write_picture

from .class_counts import check_class_counts, config_metainfo
from .generation import NO_EVIDENCE, check_threshold
from .machine import use_device
from .model_names import find_model
from .photo_inputs import NamedPhoto, photo_inputs

_GRID = [i / 100 for i in range(100)]
_ASKED = 50  # photos of a call that the threshold is found on


@dataclass
class Segmentation:
    """What is where in a photo.

    Attributes:
        name (str): The photo's file name without extension, or its number.
        photo (np.ndarray): RGB, uint8, (H, W, 3).
        mask (np.ndarray): 0 background, 1..C the classes, uint8, (H, W).
        labels (list[str]): The classes that were looked for, or of a
            segmentor those that it found.
        scores (dict[str, float]): How likely each class is on the photo, of
            all classes; empty for a segmentor.
        maps (dict[str, np.ndarray]): Of each label a map in [0, 1], (H, W);
            empty unless they were asked for.
        classes (list[str]): 'background' first.
        palette (list[list[int]]): RGB colours of the classes.
    """
    name: str
    photo: np.ndarray = field(repr=False)
    mask: np.ndarray = field(repr=False)
    labels: List[str]
    scores: Dict[str, float] = field(repr=False)
    maps: Dict[str, np.ndarray] = field(repr=False)
    classes: List[str] = field(repr=False)
    palette: List[List[int]] = field(repr=False)

    def overlay(self, opacity: float = 0.6) -> np.ndarray:
        """The photo in the colours of its mask, RGB, uint8, (H, W, 3)."""
        return mask_overlay(self.photo, self.mask, self.palette, opacity)

    def areas(self) -> Dict[str, float]:
        """Share of the pixels by class, of those that the mask has."""
        counts = np.bincount(self.mask.ravel(), minlength=len(self.classes))
        return {name: float(counts[i] / self.mask.size)
                for i, name in enumerate(self.classes) if i and counts[i]}

    def mask_at(self, threshold: float) -> np.ndarray:
        """The mask that the maps stand for at another background threshold.

        Args:
            threshold (float): In [0, 1).

        Raises:
            ConfigError: If the maps were not asked for.
        """
        if not self.maps:
            raise ConfigError('no maps; ask for them with return_maps=True')
        labels = np.array([self.classes.index(name) - 1
                           for name in self.maps])
        return map_to_mask(np.stack(list(self.maps.values())), labels,
                           threshold)

    def save(self, folder: str) -> None:
        """Write ``masks/<name>.png`` and ``overlays/<name>.png``."""
        write_mask(osp.join(folder, 'masks', f'{self.name}.png'), self.mask,
                   self.palette)
        write_picture(osp.join(folder, 'overlays', f'{self.name}.png'),
                      self.overlay())


class WSSSInferencer:
    """A trained network, or a localizer without training, for photos.

    Args:
        model (str): Folder of ``mmwsss fit`` or of a pipeline, path of a
            config, or name of a shipped one (:func:`list_models`).
        weights (str, optional): Path or URL of a checkpoint. Defaults to
            None: a run's own, the best in the config's work folder, or none
            where none are needed.
        device (str, optional): 'cpu', 'cuda' or 'cuda:1'. Defaults to None: a
            GPU where there is one.
        threshold (float, optional): Background threshold of the maps. Defaults
            to None: the run's; else one is found on the photos of each call.
        network (str, optional): Which network of a run: 'segmentor', or
            'localizer' for its maps. Defaults to None: the first that is
            trained.
        cfg_options (dict, optional): See :func:`load_config`, for a config or
            a name.
        lenient (bool): Take photos that can be decoded though they show signs
            of damage. Defaults to False.

    Attributes:
        classes (list[str]): 'background' first.
        failed (dict[str, str]): Photos of the last call that could not be
            read, and why.

    Raises:
        ConfigError: If there is no such model, or it has no weights.
        DataError: If the weights do not fit.

    Example:
        >>> from mmwsss.apis import WSSSInferencer
        >>> segment = WSSSInferencer('run')            # doctest: +SKIP
        >>> [result] = segment('photo.jpg')            # doctest: +SKIP
        >>> result.mask.shape, result.areas()          # doctest: +SKIP
        ((480, 640), {'dog': 0.21})
    """

    def __init__(self, model: str,
                 weights: Optional[str] = None,
                 device: Optional[str] = None,
                 threshold: Optional[float] = None,
                 network: Optional[str] = None,
                 cfg_options: Optional[dict] = None,
                 lenient: bool = False) -> None:
        check_threshold(threshold)
        found = find_model(model, weights, network, cfg_options)
        self.cfg = found.cfg
        self.threshold = found.threshold if threshold is None else threshold
        self.lenient = lenient
        self.device = use_device(device)
        self.failed: Dict[str, str] = {}
        metainfo = config_metainfo(found.cfg)
        self.classes = list(metainfo.get('classes') or ())
        self.palette = ([list(one) for one in metainfo['palette']]
                        if metainfo.get('palette') else
                        class_colours(self.classes))
        init_default_scope('mmwsss')
        with _quiet():
            self.model = self._built(found.checkpoint)
        self.localizes = isinstance(self.model, BaseLocalizer) and (
            network == 'localizer' or not hasattr(self.model, 'decode_head'))
        steps = self.cfg.get('localize_pipeline' if self.localizes
                             else 'test_pipeline')
        # The photo is at hand: no step that loads it, or a mask.
        self.pipeline = Compose([step for step in steps
                                 if 'Load' not in step['type']])
        self.refiners = RefinerChain(self.cfg.get('refiners', []))

    def _built(self, checkpoint: Optional[str]) -> Any:
        model_cfg = copy.deepcopy(self.cfg.model)
        if checkpoint is not None:
            forget_pretrained(model_cfg)
        model = MODELS.build(model_cfg)
        check_class_counts(self.cfg, model)
        if checkpoint is None:
            model.init_weights()
        else:
            load_weights(model, checkpoint, self.classes)
        return model.to(self.device).eval()

    def __call__(self, inputs: Any,
                 labels: Any = None,
                 batch_size: int = 1,
                 return_maps: bool = False,
                 out_dir: Optional[str] = None,
                 show: bool = False) -> List[Segmentation]:
        """Segment photos.

        Args:
            inputs: A path, a URL, a folder, an RGB array (H, W, 3) of uint8,
                a PIL image, or a list of any of these.
            labels (optional): Classes that the photos show: names for all
                photos, a list of names for each, or a mapping from a photo's
                name to them. No others are looked for. Defaults to None: a
                localizer takes those that it finds likely, a segmentor any.
            batch_size (int): Photos of one size that go through the network
                together. Defaults to 1.
            return_maps (bool): Also return the maps, of a segmentor the
                probabilities. Defaults to False.
            out_dir (str, optional): Also write masks and overlays there.
                Defaults to None.
            show (bool): Open each overlay in a window. Defaults to False.

        Returns:
            list[Segmentation]: Of the photos that could be read, in order;
            the others are named in the log and in :attr:`failed`.

        Raises:
            DataError: If no photo can be read, or a label is unknown.
        """
        photos = photo_inputs(inputs, self.lenient)
        wanted = self._wanted(photos, labels)
        if out_dir is not None:
            _require_names(photos)
        self.failed = {}
        found = self._localize(photos, wanted, batch_size) if (
            self.localizes) else self._segment(photos, wanted, batch_size)
        results = []
        for result in found:
            if not return_maps:
                result.maps = {}
            if out_dir is not None:
                result.save(osp.expanduser(out_dir))
            if show:
                Image.fromarray(result.overlay()).show(result.name)
            results.append(result)
        if not results:
            raise DataError('no photo could be read: ' +
                            '; '.join(list(self.failed.values())[:3]))
        return results

    def _wanted(self, photos: Sequence[NamedPhoto],
                labels: Any) -> List[Optional[np.ndarray]]:
        """Multi-hot labels of each photo, None where none are given."""
        if labels is None:
            return [None] * len(photos)
        if isinstance(labels, str):
            labels = [labels]
        if isinstance(labels, Mapping):
            missing = [one.name for one in photos if one.name not in labels]
            if missing:
                raise DataError(f'labels: none for {missing[0]}; name every '
                                'photo')
            each = [labels[one.name] for one in photos]
        elif all(isinstance(name, str) for name in labels):
            each = [labels] * len(photos)
        elif len(labels) == len(photos):
            each = list(labels)
        else:
            raise DataError(f'labels: {len(labels)} lists for {len(photos)} '
                            'photos; give one for each')
        return [self._onehot(names) for names in each]

    def _onehot(self, names: Any) -> np.ndarray:
        names = [names] if isinstance(names, str) else list(names)
        onehot = np.zeros(len(self.classes) - 1, dtype=np.float32)
        for name in names:
            if name not in self.classes[1:]:
                raise DataError('labels: ' + unknown_name(
                    'class', name, self.classes[1:]))
            onehot[self.classes.index(name) - 1] = 1
        return onehot

    def _batches(self, photos: Sequence[NamedPhoto],
                 wanted: Sequence[Optional[np.ndarray]], batch_size: int
                 ) -> Iterator[List[Any]]:
        """(name, photo, labels) of photos in a row that have one size."""
        batch: List[Any] = []
        for (name, read), labels in zip(photos, wanted):
            try:
                photo = read()
            except DataError as error:
                self.failed[name] = str(error)
                print_log(str(error), 'current', logging.WARNING)
                continue
            if batch and (len(batch) == batch_size or
                          batch[0][1].shape != photo.shape):
                yield batch
                batch = []
            batch.append((name, photo, labels))
        if batch:
            yield batch

    def _data(self, batch: Sequence[Any]) -> dict:
        """What the data preprocessor takes, photos at their work size."""
        samples = []
        for name, photo, labels in batch:
            small = fit_photo(photo, work_size(photo.shape[:2],
                                               self.cfg.get('max_side')))
            if labels is None:
                labels = np.zeros(len(self.classes) - 1, dtype=np.float32)
            samples.append(self.pipeline(dict(
                img=np.ascontiguousarray(small[..., ::-1]), img_path=name,
                sample_id=name, img_shape=small.shape[:2],
                ori_shape=small.shape[:2], gt_label=labels)))
        return pseudo_collate(samples)

    @torch.no_grad()
    def _localize(self, photos: Sequence[NamedPhoto],
                  wanted: Sequence[Optional[np.ndarray]],
                  batch_size: int) -> Iterator[Segmentation]:
        waiting: List[Segmentation] = []
        auto = AutoThreshold(_GRID)
        threshold = self.threshold
        for batch in self._batches(photos, wanted, batch_size):
            for result in self._maps(batch):
                if threshold is not None:
                    yield from _at([result], threshold)
                    continue
                waiting.append(result)
                if result.maps:
                    auto.add(auto.evidence(result.photo, MapFile(
                        np.arange(len(result.maps)),
                        np.stack(list(result.maps.values())),
                        result.mask.shape)))
            if threshold is None and len(waiting) >= _ASKED:
                threshold = auto.choose() or NO_EVIDENCE
                yield from _at(waiting, threshold)
                waiting = []
        if waiting:
            yield from _at(waiting, auto.choose() or NO_EVIDENCE)

    def _maps(self, batch: Sequence[Any]) -> Iterator[Segmentation]:
        """The maps of a batch; their masks are still empty."""
        data = self._data(batch)
        if any(labels is None for _, _, labels in batch):
            inputs = self.model.data_preprocessor(copy.deepcopy(data), False)
            for sample, (_, _, labels), scored in zip(
                    data['data_samples'], batch,
                    self.model(**inputs, mode='predict')):
                if labels is None:
                    score = scored.pred_label.score.float().cpu()
                    likely = score >= 0.5
                    likely[score.argmax()] = True
                    sample.gt_label.label_onehot = likely.float()
        for (name, photo, _), sample in zip(batch,
                                            localized(self.model, data)):
            score = sample.pred_label.score
            maps = sample.pred_maps.data.float().cpu()
            indices = sample.pred_maps.labels
            if len(maps) and len(self.refiners):
                small = fit_photo(photo, maps.shape[1:])
                maps = self.refiners(torch.tensor(small).permute(2, 0, 1),
                                     maps, torch.tensor(indices))
            full = (resized_maps(maps.numpy(), photo.shape[:2])
                    if len(maps) else maps.numpy())
            names = [self.classes[i + 1] for i in indices]
            yield self._result(
                name, photo, np.zeros(photo.shape[:2], np.uint8), names,
                dict(zip(self.classes[1:], score.tolist())),
                dict(zip(names, full)))

    @torch.no_grad()
    def _segment(self, photos: Sequence[NamedPhoto],
                 wanted: Sequence[Optional[np.ndarray]],
                 batch_size: int) -> Iterator[Segmentation]:
        for batch in self._batches(photos, wanted, batch_size):
            data = self._data(batch)
            for sample in data['data_samples']:
                # A decoder of a single stage would make maps of them.
                if 'gt_label' in sample:
                    del sample.gt_label
            for (name, photo, labels), sample in zip(
                    batch, self.model.test_step(data)):
                logits = sample.seg_logits.data.float()
                if labels is not None:
                    absent = torch.from_numpy(np.concatenate(
                        [[False], labels == 0])).to(logits.device)
                    logits = logits.masked_fill(absent[:, None, None],
                                                -torch.inf)
                small = logits.argmax(0).byte().cpu().numpy()
                mask = fit_mask(small, photo.shape[:2])
                found = np.unique(mask)
                names = [self.classes[i] for i in found if i]
                shown = logits.softmax(0)[found[found > 0].tolist()]
                maps: Any = resized_maps(
                    shown.cpu().numpy(), photo.shape[:2]) if len(shown) else ()
                yield self._result(name, photo, mask, names, {},
                                   dict(zip(names, maps)))

    def _result(self, name: str, photo: np.ndarray, mask: np.ndarray,
                labels: List[str], scores: Dict[str, float],
                maps: Dict[str, np.ndarray]) -> Segmentation:
        return Segmentation(name, photo, mask, labels, scores, maps,
                            self.classes, self.palette)


def _at(results: Sequence[Segmentation],
        threshold: float) -> Iterator[Segmentation]:
    for result in results:
        if result.maps:
            result.mask = result.mask_at(threshold)
        yield result


def _require_names(photos: Sequence[NamedPhoto]) -> None:
    """Raise if two photos would be written to one file."""
    names = [photo.name for photo in photos]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(f'two photos are called {name!r}, and their masks '
                        'would be one file; rename one')


@contextmanager
def _quiet() -> Iterator[None]:
    """What building a model logs is for trainings."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
