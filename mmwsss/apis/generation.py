"""From a localizer to maps, masks and scores on disk."""
import copy
import logging
import math
import os
import os.path as osp
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from mmwsss.datasets.batches import same_size_batches
from mmwsss.datasets.photo_folder import mask_classes
from mmwsss.engine import MapWriter
from mmwsss.engine.map_writer import storage_options
from mmwsss.evaluation import AutoThreshold, average_precision
from mmwsss.evaluation.base_scorer import rounded
from mmwsss.evaluation.threshold_sweep import Threshold
from mmwsss.files.atomic import require_writable
from mmwsss.files.checkpoints import load_weights
from mmwsss.files.folders import replaced_folder
from mmwsss.files.json_files import write_json
from mmwsss.files.maps import (
    MAP_DICT_LAYOUTS,
    MapFile,
    map_to_mask,
    read_any_map,
    resized_maps,
    write_map_dict,
)
from mmwsss.files.mask_drafts import MaskDraft, MaskDrafts
from mmwsss.files.mask_survey import survey_masks
from mmwsss.files.masks import IGNORED, MaskClasses, write_mask
from mmwsss.files.photos import image_name, photo_size
from mmwsss.files.result_classes import RECORDS
from mmwsss.files.work_size import work_size
from mmwsss.parallel.distributed import (
    cpu_share,
    on_main_process,
    process_group,
)
from mmwsss.parallel.progress import (
    ImageProgressHook,
    in_threads,
    progress_bar,
)
from mmwsss.parallel.room import Room
from mmwsss.problems import ConfigError, DataError, Problems, unknown_name
from mmwsss.refiners import RefinerChain
from mmwsss.registry import DATASETS, forget_pretrained
from mmwsss.visualization import (
    PICTURE_SIDE,
    legend,
    photo_row,
    picture_sheet,
    write_picture,
)

from .class_counts import check_class_counts
from .lenient import make_lenient
from .manifest import claim, describe_source, refuse_inputs
from .photo_records import (
    PhotoRecords,
    caption,
    photo_records,
    write_photo_records,
)
from .scoring import PIXELS_AT_ONCE, ScoredFile, Scoring, map_scoring
from .training import build_runner
from .untrained import check_weights_are_named, needs_no_training

SPLITS = ('train', 'val', 'test')
ASKED = 1000  # images that the automatic threshold is found on, at most
NO_EVIDENCE = 0.4  # the threshold where all maps are 0


def generate_pseudo_labels(cfg: Config,
                           checkpoint: Optional[str],
                           out_dir: str,
                           split: str = 'train',
                           threshold: Union[Threshold, str] = None,
                           overwrite: bool = False,
                           export_npy: Optional[str] = None,
                           launcher: str = 'none',
                           maps: Optional[str] = None,
                           skip_bad: int = 0,
                           found: Optional[float] = None) -> dict:
    """Run a localizer over a split; write maps, masks and scores.

    Written to ``out_dir``: ``maps/*.npz``, ``masks/*.png``, ``scores.json``,
    ``photos.json``, ``threshold_curve.png`` and ``overlays.png``. Images whose
    maps are there already, from the same checkpoint and settings, are skipped.
    All masks are written anew and take the place of earlier ones together.

    Args:
        cfg (Config): Config of the localizer.
        checkpoint (str, optional): Path or URL of its weights. None where the
            localizer needs no training, its config has no ``train_cfg``; or
            together with ``maps``, which go through the refiners of the
            config without any network.
        out_dir (str): Where to write.
        split (str): 'train', 'val', 'test', or the path of a list of image
            ids (under ``data_root``) with the training set's folders.
        threshold (float | tuple | str, optional): Background threshold; two
            numbers (low, high) leave what lies between them as 255; 'auto'
            finds one without masks, see
            :class:`~mmwsss.evaluation.AutoThreshold`. Defaults to None: the
            best on the images that have masks, and where none has, 'auto'.
        overwrite (bool): Remove files of another checkpoint, other settings
            or another list instead of stopping.
        export_npy (str, optional): Also write the maps to ``npy/*.npy`` for
            other scripts: 'mctformer' or 'irn', see ``write_map_dict``.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.
        maps (str, optional): Folder of the images' maps, for use without a
            checkpoint: ``.npz``, or ``.npy`` dicts of other scripts.
        skip_bad (int): Decode every photo before the network starts and leave
            out, at most so many, those that are missing or damaged; the log
            and ``scores.json`` name them. Defaults to 0: a damaged photo
            stops the run when it is met.
        found (float, optional): The automatic threshold of other photos, such
            as those that the network learned from; it is taken where one
            would be found on these. Defaults to None.

    Returns:
        dict: What ``scores.json`` holds.
    """
    out_dir = require_writable(out_dir)
    untrained = checkpoint is None and maps is None
    if untrained and needs_no_training(cfg):
        check_weights_are_named(cfg)
    elif (checkpoint is None) == (maps is None):
        raise ConfigError('give either the checkpoint of a network, or '
                          'without one the folder of maps to refine (--maps)')
    if export_npy not in (None, *MAP_DICT_LAYOUTS):
        raise ConfigError(f'export_npy={export_npy!r}: use one of '
                          f'{MAP_DICT_LAYOUTS}')
    check_threshold(threshold)
    cfg = copy.deepcopy(cfg)
    dataset_cfg = split_dataset(cfg, split)
    if maps is not None:
        dataset_cfg['maps'] = maps
    dataset = _build(dataset_cfg, skip_bad)
    refuse_inputs(out_dir, dataset)
    classes = mask_classes(dataset)
    given = None if isinstance(threshold, str) else threshold
    scoring = map_scoring(
        'Scoring maps', dataset.metainfo['classes'],
        cfg.get('score_classes', 'all'), cfg.get('scorers', ()), given,
        classes)
    maps_dir = osp.join(out_dir, 'maps')

    def prepare() -> Tuple[List[Optional[str]], List[List[int]]]:
        truths = _true_masks(dataset, classes, scoring, split,
                             chooses=threshold is None)
        claim(out_dir, describe_source(cfg, checkpoint, dataset,
                                       _list_name(split, dataset_cfg),
                                       untrained),
              overwrite)
        names = sample_names(dataset)
        RefinerChain(cfg.get('refiners', [])).check_images(names)
        done = [osp.isfile(osp.join(maps_dir, name + '.npz'))
                for name in names]
        batches = _batches(dataset, cfg.get('localize_batch_size', 1))
        return truths, [batch for batch in batches
                        if not all(done[i] for i in batch)]

    with process_group(launcher):
        truths, batches = on_main_process(prepare)
        if batches and maps is None:
            _run_localizer(cfg, checkpoint, dataset_cfg, dataset.metainfo,
                           batches, maps_dir)
        if not is_main_process():
            return {}
        if maps is not None:
            _refine_maps(cfg, dataset, sum(batches, []), maps_dir)
    sweep: Any = scoring.scorers[0]
    auto = None
    if threshold == 'auto' or given is None and not any(truths):
        if found is None:
            auto = AutoThreshold(sweep.grid, cfg.get('lenient', False))
        sweep.threshold = found
    return finish_masks(dataset, truths, out_dir, scoring, export_npy, auto)


def _build(dataset_cfg: dict, skip_bad: int) -> BaseDataset:
    """The images; ``dataset_cfg`` then leaves the bad ones out, too."""
    options = copy.deepcopy(dataset_cfg)
    if skip_bad > 0:
        options.update(skip_bad=skip_bad, check_images='decode')
    dataset = DATASETS.build(options)
    if skip_bad > 0:
        dataset_cfg['leave_out'] = [*dataset.leave_out, *dataset.bad]
    return dataset


def _batches(dataset: BaseDataset, batch_size: int) -> List[List[int]]:
    """All images in batches of one size."""
    if batch_size == 1:
        return [[i] for i in range(len(dataset))]
    sizes = [photo_size(dataset.get_data_info(i)['img_path'])
             for i in range(len(dataset))]
    return same_size_batches(sizes, batch_size)


def split_dataset(cfg: Config, split: str) -> dict:
    """Data set config of a split with the pipeline for localization."""
    name = split if split in SPLITS else 'train'
    loader = cfg.get(f'{name}_dataloader')
    if loader is None and cfg.get(f'{name}_list') is not None:
        return split_dataset(cfg, cfg[f'{name}_list'])
    if loader is None:
        raise ConfigError(f'the config has no {name}_dataloader')
    dataset = copy.deepcopy(loader.dataset.to_dict())
    dataset.update(pipeline=copy.deepcopy(cfg.localize_pipeline),
                   test_mode=True)
    dataset.pop('indices', None)  # a part may do in training, not here
    if cfg.get('lenient', False):
        make_lenient(dataset['pipeline'])
    if split not in SPLITS:
        path = split if osp.isabs(split) else osp.join(
            dataset.get('data_root') or '', split)
        if not osp.isfile(path):
            raise ConfigError(
                f'{unknown_name("split", split, SPLITS)}, and there is no '
                f'list {path}')
        dataset['ann_file'] = osp.abspath(path)
    return dataset


def has_split(cfg: Config, split: str) -> bool:
    """Whether a config names the photos of 'train', 'val' or 'test'."""
    return any(cfg.get(f'{split}_{what}') is not None
               for what in ('dataloader', 'list'))


def split_folder(split: str) -> str:
    """The folder of a split's results; lists do not share those of splits.

    Args:
        split (str): See :func:`generate_pseudo_labels`.

    Example:
        >>> split_folder('train'), split_folder('lists/train.txt')
        ('train', 'train_list')
        >>> split_folder('lists/train_aug.txt')
        'train_aug'
    """
    if split in SPLITS:
        return split
    name = osp.splitext(osp.basename(split))[0]
    return f'{name}_list' if name in SPLITS else name


def _list_name(split: str, dataset_cfg: dict) -> str:
    """What the manifest calls the list of images."""
    return split if split in SPLITS else dataset_cfg['ann_file']


def sample_names(dataset: BaseDataset) -> List[str]:
    """The ids of a data set's images."""
    return [dataset.get_data_info(i)['sample_id'] for i in range(len(dataset))]


def mask_paths(dataset: BaseDataset) -> List[Optional[str]]:
    """Path of each image's mask, None where there is none."""
    paths = [dataset.get_data_info(i).get('seg_map_path')
             for i in range(len(dataset))]
    return [path if path and osp.isfile(path) else None for path in paths]


def _true_masks(dataset: BaseDataset, classes: MaskClasses, scoring: Scoring,
                split: str, chooses: bool) -> List[Optional[str]]:
    """The masks to score against, all of which can be read.

    They are read here as well as later, so that a mistake shows before hours
    of work. If one ``chooses`` the threshold on them, they have to be of use.
    """
    sweep: Any = scoring.scorers[0]
    paths = mask_paths(dataset)
    if not any(paths):
        return paths
    problems = Problems(f'true masks of split {split!r}')
    pixels = survey_masks([path for path in paths if path], classes, problems)
    problems.raise_if_any()
    try:
        sweep.check_truth(torch.from_numpy(pixels[:classes.count]),
                          bool(pixels[IGNORED]))
    except DataError as error:
        if chooses:
            raise ConfigError(
                f'split {split!r}: {error}. No background threshold can be '
                'chosen on them; give one, e.g. --threshold 0.4, or '
                '--threshold auto') from error
        print_log(f'nothing is scored: {error}', 'current')
        return [None] * len(paths)
    return paths


def check_threshold(threshold: Union[Threshold, str],
                    most: int = 2) -> None:
    """Raise a :class:`ConfigError` for a threshold outside [0, 1).

    Args:
        threshold (float | tuple | str, optional): See
            :func:`generate_pseudo_labels`.
        most (int): How many numbers are taken, 1 or 2. Defaults to 2.
    """
    if threshold is None or threshold == 'auto':
        return
    values = threshold if isinstance(threshold, (tuple, list)) else [threshold]
    if not (len(values) <= most
            and all(not isinstance(v, str) and 0 <= v < 1 for v in values)
            and list(values) == sorted(values)):
        two = ', or two, the lower first' if most == 2 else ''
        raise ConfigError(f'--threshold {threshold}: give one number in '
                          f"[0, 1){two}, or 'auto'")


def _run_localizer(cfg: Config, checkpoint: Optional[str],
                   dataset_cfg: dict, metainfo: dict,
                   batches: List[List[int]], maps_dir: str) -> None:
    """The Runner's localize loop over the batches that still lack maps."""
    cfg.launcher = 'none'  # the processes are a group already
    cfg.test_dataloader = dict(
        num_workers=cfg.get('localize_workers', 2),
        persistent_workers=False,
        batch_size=1,
        sampler=dict(type='DefaultSampler', shuffle=False),
        # The lists, images and labels were checked a moment ago.
        dataset=dict(dataset_cfg, check_images=False))
    workers = cfg.get('refine_workers')
    if workers is None:
        # Without a GPU the network needs the cores itself.
        workers = cpu_share() if torch.cuda.is_available() else 0
    cfg.test_cfg = dict(type='LocalizeLoop', out_dir=maps_dir,
                        num_workers=workers, **_writer_options(cfg))
    cfg.test_evaluator = []  # maps are scored when all of them are there
    if checkpoint is not None:
        forget_pretrained(cfg.model)
    for key in ('train_dataloader', 'train_cfg', 'optim_wrapper',
                'param_scheduler', 'val_dataloader', 'val_cfg',
                'val_evaluator', 'custom_hooks'):
        cfg.pop(key, None)
    runner = build_runner(cfg)
    check_class_counts(cfg, runner.model, ['test'])
    if checkpoint is None:
        runner.model.init_weights()
    else:
        load_weights(runner.model, checkpoint, metainfo['classes'])
    runner.test_in_batches(batches)
    with progress_bar('Maps', sum(map(len, batches))) as advance:
        runner.register_hook(ImageProgressHook(advance))
        runner.test()


def _writer_options(cfg: Config) -> dict:
    return dict(storage_options(cfg), refiners=cfg.get('refiners', []),
                lenient=cfg.get('lenient', False))


def _refine_maps(cfg: Config, dataset: BaseDataset, indices: Sequence[int],
                 maps_dir: str) -> None:
    """The config's refiners on stored maps of some images."""
    workers = cfg.get('refine_workers')
    writer = MapWriter(
        maps_dir, num_workers=cpu_share() if workers is None else workers,
        **_writer_options(cfg))
    with progress_bar('Refining maps', len(indices)) as advance:
        try:
            for index in indices:
                info = dataset.get_data_info(index)
                file = read_any_map(info['map_path']).sized(
                    photo_size(info['img_path']))
                writer.write(info['sample_id'], info['img_path'], file.maps,
                             file.labels.tolist(), file.scores)
                advance(1)
            writer.finish()
        finally:
            writer.stop()


def finish_masks(dataset: BaseDataset, truths: Sequence[Optional[str]],
                 out_dir: str, scoring: Scoring,
                 export_npy: Optional[str] = None,
                 auto: Optional[AutoThreshold] = None) -> dict:
    """Score the maps in ``out_dir/maps``, choose the threshold, write masks.

    Every file of maps is read once. Masks and scores of an earlier threshold
    stay until all new masks are written.

    Args:
        dataset (BaseDataset): Images and labels.
        truths (Sequence[str | None]): True mask of each image to score
            against.
        out_dir (str): The folder that has ``maps``; the rest is written
            there, see :func:`generate_pseudo_labels`.
        scoring (Scoring): From :func:`map_scoring`; its first scorer says
            which threshold the masks have.
        export_npy (str, optional): Layout of ``npy/*.npy``, see
            :func:`~mmwsss.files.maps.write_map_dict`. Defaults to None: none
            are written.
        auto (AutoThreshold, optional): Chooses the threshold, from the
            thresholds of the first scorer. Defaults to None.

    Returns:
        dict: What ``scores.json`` holds.
    """
    sweep: Any = scoring.scorers[0]
    threshold = sweep.threshold
    files = [ScoredFile(osp.join(out_dir, 'maps', name + '.npz'), truth, i)
             for i, (name, truth) in enumerate(
                 zip(sample_names(dataset), truths))]
    shown = set(evenly(len(dataset), 12))
    asked = set(evenly(len(dataset), ASKED) if auto else ())
    palette = dataset.metainfo['palette']

    def write(folder: str, name: str, mask: np.ndarray) -> None:
        write_mask(osp.join(folder, name + '.png'), mask, palette)

    def see(folder: str, file: ScoredFile, maps: MapFile) -> tuple:
        """All that is needed of maps, while they are in memory."""
        name = image_name(file.path)
        try:
            sweep.check_labels(maps)
        except DataError as error:
            raise DataError(f'{file.path}: {error}') from error
        if export_npy is not None:
            write_map_dict(osp.join(out_dir, 'npy', name + '.npy'), maps,
                           export_npy)
        draft = evidence = None
        if threshold is None:
            draft = MaskDraft.of(name, maps, sweep.grid)
        else:
            write(folder, name,
                  map_to_mask(maps.maps, maps.labels, threshold))
        if auto is not None and file.index in asked:
            info = dataset.get_data_info(file.index)
            evidence = auto.read(info['img_path'], maps)
        return draft, evidence, maps.scores, (
            small_maps(maps) if file.index in shown else None)

    with replaced_folder(osp.join(out_dir, 'masks')) as new, \
            MaskDrafts(out_dir) as drafts:
        scores, kept = [], {}
        for file, (draft, evidence, image_scores, maps) in scoring.run(
                files, partial(see, new)):
            if draft is not None:
                drafts.add(draft)
            if auto is not None:
                auto.add(evidence)
            scores.append(image_scores)
            if maps is not None:
                kept[file.index] = maps
        if auto is not None:
            sweep.threshold = _automatic(auto)
        report = _report(dataset, scoring, sweep.chosen, scores, out_dir)
        report.setdefault('threshold', sweep.threshold)
        report['threshold_rule'] = (
            'auto' if auto else 'best' if threshold is None else 'given')
        print_log(_where_from(report, auto), 'current')
        if drafts:
            place = sweep.grid.index(report['threshold'])
            room = Room(PIXELS_AT_ONCE)

            def finish(draft: MaskDraft) -> None:
                with room.take(math.prod(draft.size)):
                    write(new, draft.name, draft.mask(place))

            for _ in in_threads(finish, drafts, 'Writing masks', len(drafts)):
                pass
        # What belongs to the masks that go away now.
        for name in ('scores.json', 'overlays.png', RECORDS,
                     *(() if scoring.scored else ('threshold_curve.png', ))):
            with suppress(FileNotFoundError):
                os.remove(osp.join(out_dir, name))
    records = photo_records(dataset, truths, osp.join(out_dir, 'masks'))
    _write_overlays(records, out_dir, kept)
    write_photo_records(out_dir, records)
    write_json(osp.join(out_dir, 'scores.json'), report)
    return report


def _automatic(auto: AutoThreshold) -> float:
    """The threshold that it chooses, or one for maps that say nothing."""
    chosen = auto.choose()
    if chosen is None:
        chosen = NO_EVIDENCE
        print_log(f'no map has a value above 0: {chosen} stands for the '
                  'background threshold, and all masks are background; look '
                  "at the localizer's training", 'current', logging.WARNING)
    return chosen


def _where_from(report: dict, auto: Optional[AutoThreshold]) -> str:
    """The threshold of the masks and how it was found, in one line."""
    origin = dict(
        given='as given',
        best=f'the best on {report["images_with_masks"]} images with masks',
        auto='found without masks, by how the maps of '
        f'{auto.photos if auto else 0} images follow the photos')
    rule = report['threshold_rule']
    return (f'background threshold {report["threshold"]} ({rule}: '
            f'{origin[rule]})')


def _report(dataset: BaseDataset, scoring: Scoring, chosen: List[int],
            image_scores: List[Optional[np.ndarray]], out_dir: str) -> dict:
    """What ``scores.json`` holds."""
    classes = dataset.metainfo['classes']
    report: Dict[str, Any] = dict(
        **({'left_out': dataset.bad} if getattr(dataset, 'bad', ()) else {}),
        images=len(dataset), images_with_masks=scoring.scored,
        classes=[classes[i] for i in chosen])
    known = [scores for scores in image_scores if scores is not None]
    if len(known) == len(image_scores):
        per_class = average_precision(
            torch.from_numpy(np.stack(known)),
            torch.from_numpy(dataset.labels))
        foreground = [i - 1 for i in chosen if i > 0]
        report['mAP'] = rounded(per_class[foreground].nanmean())
        report['AP'] = {classes[i + 1]: rounded(per_class[i])
                        for i in foreground}
    if scoring.scored:
        report.update(scoring.report('pseudo masks', out_dir))
    return report


def small_maps(file: MapFile) -> MapFile:
    """The maps of a photo, as large as a picture."""
    size = work_size(file.maps.shape[1:], PICTURE_SIDE)
    return replace(file, maps=resized_maps(file.maps, size))


def _write_overlays(records: PhotoRecords, out_dir: str,
                    kept: Dict[int, MapFile]) -> None:
    """A sheet of some images with maps, masks and truth.

    Args:
        records (PhotoRecords): Of all images.
        out_dir (str): Where it goes, and the masks are.
        kept (dict): Index of an image that is shown -> its maps.
    """
    rows = []
    for index, file in sorted(kept.items()):
        photo = records.photos[index]
        rows.append(photo_row(
            photo.name, photo.photo,
            [(caption('mask', photo, records.classes), osp.join(
                out_dir, 'masks', photo.name + '.png'), None),
             ('truth', photo.truth, records.values)],
            records.palette,
            [(records.classes[label + 1], one)
             for label, one in zip(file.labels, file.maps)]))
    write_picture(osp.join(out_dir, 'overlays.png'), picture_sheet(
        rows, legend=legend(records.classes, records.palette)))


def evenly(total: int, count: int) -> List[int]:
    """At most ``count`` indices, spread evenly over ``range(total)``."""
    chosen = np.linspace(0, total - 1, min(count, total))
    return chosen.round().astype(int).tolist()
