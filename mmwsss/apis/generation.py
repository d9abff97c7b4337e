"""From a localizer to maps, masks and scores on disk."""
import copy
import math
import os
import os.path as osp
from contextlib import suppress
from functools import partial
from typing import Any, Dict, List, Optional, Sequence, Tuple

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
from mmwsss.evaluation import average_precision
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
from mmwsss.registry import DATASETS, forget_pretrained
from mmwsss.visualization import (
    PICTURE_SIDE,
    photo_row,
    picture_sheet,
    write_picture,
)

from .class_counts import check_class_counts
from .lenient import make_lenient
from .manifest import claim, describe_source
from .scoring import PIXELS_AT_ONCE, ScoredFile, Scoring, map_scoring
from .training import build_runner

SPLITS = ('train', 'val', 'test')


def generate_pseudo_labels(cfg: Config,
                           checkpoint: Optional[str],
                           out_dir: str,
                           split: str = 'train',
                           threshold: Threshold = None,
                           overwrite: bool = False,
                           export_npy: Optional[str] = None,
                           launcher: str = 'none',
                           maps: Optional[str] = None,
                           skip_bad: int = 0) -> dict:
    """Run a localizer over a split; write maps, masks and scores.

    Written to ``out_dir``: ``maps/*.npz``, ``masks/*.png``, ``scores.json``,
    ``threshold_curve.png`` and ``overlays.png``. Images whose maps are there
    already, from the same checkpoint and settings, are skipped. All masks are
    written anew and take the place of earlier ones together.

    Args:
        cfg (Config): Config of the localizer.
        checkpoint (str, optional): Path or URL of its weights. None runs no
            network: ``maps`` go through the refiners of the config.
        out_dir (str): Where to write.
        split (str): 'train', 'val', 'test', or the path of a list of image
            ids (under ``data_root``) with the training set's folders.
        threshold (float | tuple, optional): Background threshold; two
            numbers (low, high) leave what lies between them as 255. Defaults
            to None: the best on the images that have masks.
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

    Returns:
        dict: What ``scores.json`` holds.
    """
    out_dir = require_writable(out_dir)
    if (checkpoint is None) == (maps is None):
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
    classes = mask_classes(dataset)
    scoring = map_scoring(
        'Scoring maps', dataset.metainfo['classes'],
        cfg.get('score_classes', 'all'), cfg.get('scorers', ()), threshold,
        classes)
    maps_dir = osp.join(out_dir, 'maps')

    def prepare() -> Tuple[List[Optional[str]], List[List[int]]]:
        truths = _true_masks(dataset, classes, scoring, split)
        claim(out_dir, describe_source(cfg, checkpoint, dataset,
                                       _list_name(split, dataset_cfg)),
              overwrite)
        done = [osp.isfile(osp.join(maps_dir, name + '.npz'))
                for name in sample_names(dataset)]
        batches = _batches(dataset, cfg.get('localize_batch_size', 1))
        return truths, [batch for batch in batches
                        if not all(done[i] for i in batch)]

    with process_group(launcher):
        truths, batches = on_main_process(prepare)
        if batches and checkpoint is not None:
            _run_localizer(cfg, checkpoint, dataset_cfg, dataset.metainfo,
                           batches, maps_dir)
        if not is_main_process():
            return {}
        if maps is not None:
            _refine_maps(cfg, dataset, sum(batches, []), maps_dir)
    return finish_masks(dataset, truths, out_dir, scoring, export_npy)


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
                split: str) -> List[Optional[str]]:
    """The masks to score against, all of which can be read.

    They are read here as well as later, so that a mistake shows before hours
    of work.
    """
    sweep: Any = scoring.scorers[0]
    paths = mask_paths(dataset)
    remedy = 'give one, e.g. --threshold 0.4'
    if not any(paths):
        if sweep.threshold is None:
            raise ConfigError(
                f'split {split!r} has no masks to choose the background '
                f'threshold on; {remedy}')
        return paths
    problems = Problems(f'true masks of split {split!r}')
    pixels = survey_masks([path for path in paths if path], classes, problems)
    problems.raise_if_any()
    try:
        sweep.check_truth(torch.from_numpy(pixels[:classes.count]),
                          bool(pixels[IGNORED]))
    except DataError as error:
        if sweep.threshold is None:
            raise ConfigError(
                f'split {split!r}: {error}. No background threshold can be '
                f'chosen on them; {remedy}') from error
        print_log(f'nothing is scored: {error}', 'current')
        return [None] * len(paths)
    return paths


def check_threshold(threshold: Threshold) -> None:
    """Raise a :class:`ConfigError` for a threshold outside [0, 1)."""
    if threshold is None:
        return
    values = threshold if isinstance(threshold, (tuple, list)) else [threshold]
    if not (len(values) <= 2 and all(0 <= v < 1 for v in values)
            and list(values) == sorted(values)):
        raise ConfigError(f'--threshold {threshold}: give one number in '
                          '[0, 1), or two, the lower first')


def _run_localizer(cfg: Config, checkpoint: str, dataset_cfg: dict,
                   metainfo: dict, batches: List[List[int]],
                   maps_dir: str) -> None:
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
    forget_pretrained(cfg.model)
    for key in ('train_dataloader', 'train_cfg', 'optim_wrapper',
                'param_scheduler', 'val_dataloader', 'val_cfg',
                'val_evaluator', 'custom_hooks'):
        cfg.pop(key, None)
    runner = build_runner(cfg)
    check_class_counts(cfg, runner.model, ['test'])
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
        for index in indices:
            info = dataset.get_data_info(index)
            file = read_any_map(info['map_path']).sized(
                photo_size(info['img_path']))
            writer.write(info['sample_id'], info['img_path'], file.maps,
                         file.labels.tolist(), file.scores)
            advance(1)
        writer.finish()


def finish_masks(dataset: BaseDataset, truths: Sequence[Optional[str]],
                 out_dir: str, scoring: Scoring,
                 export_npy: Optional[str] = None) -> dict:
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

    Returns:
        dict: What ``scores.json`` holds.
    """
    sweep: Any = scoring.scorers[0]
    threshold = sweep.threshold
    files = [ScoredFile(osp.join(out_dir, 'maps', name + '.npz'), truth, i)
             for i, (name, truth) in enumerate(
                 zip(sample_names(dataset), truths))]
    shown = set(evenly(len(dataset), 12))
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
        draft = None
        if threshold is None:
            draft = MaskDraft.of(name, maps, sweep.grid)
        else:
            write(folder, name,
                  map_to_mask(maps.maps, maps.labels, threshold))
        return draft, maps.scores, (
            strongest_map(maps) if file.index in shown else None)

    with replaced_folder(osp.join(out_dir, 'masks')) as new, \
            MaskDrafts(out_dir) as drafts:
        scores, strongest = [], {}
        for file, (draft, image_scores, maps) in scoring.run(
                files, partial(see, new)):
            if draft is not None:
                drafts.add(draft)
            scores.append(image_scores)
            if maps is not None:
                strongest[file.index] = maps
        report = _report(dataset, scoring, sweep.chosen, scores, out_dir)
        report.setdefault('threshold', threshold)
        if drafts:
            place = sweep.grid.index(report['threshold'])
            room = Room(PIXELS_AT_ONCE)

            def finish(draft: MaskDraft) -> None:
                with room.take(math.prod(draft.size)):
                    write(new, draft.name, draft.mask(place))

            for _ in in_threads(finish, drafts, 'Writing masks', len(drafts)):
                pass
        # What belongs to the masks that go away now.
        for name in ('scores.json', 'overlays.png',
                     *(() if scoring.scored else ('threshold_curve.png', ))):
            with suppress(FileNotFoundError):
                os.remove(osp.join(out_dir, name))
    _write_overlays(dataset, truths, out_dir, strongest)
    write_json(osp.join(out_dir, 'scores.json'), report)
    return report


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
    if scoring.scored:
        report.update(scoring.report('pseudo masks', out_dir))
    return report


def strongest_map(file: MapFile) -> np.ndarray:
    """The largest value over the classes, (h, w), as large as a picture."""
    strongest = file.maps.max(0, keepdims=True, initial=0.)
    return resized_maps(strongest, work_size(strongest.shape[1:],
                                             PICTURE_SIDE))[0]


def _write_overlays(dataset: BaseDataset, truths: Sequence[Optional[str]],
                    out_dir: str, strongest: Dict[int, np.ndarray]) -> None:
    """A sheet of some images with maps, masks and truth."""
    rows = []
    classes = dataset.metainfo['classes']
    palette = dataset.metainfo['palette']
    for index, maps in sorted(strongest.items()):
        info = dataset.get_data_info(index)
        present = info['gt_label'].nonzero()[0]
        rows.append(photo_row(
            ', '.join(classes[i + 1] for i in present), info['img_path'],
            [('mask', osp.join(out_dir, 'masks', info['sample_id'] + '.png'),
              None), ('truth', truths[index], mask_classes(dataset))],
            palette, maps if len(present) else None))
    write_picture(osp.join(out_dir, 'overlays.png'),
                  picture_sheet(rows, columns=2))


def evenly(total: int, count: int) -> List[int]:
    """At most ``count`` indices, spread evenly over ``range(total)``."""
    chosen = np.linspace(0, total - 1, min(count, total))
    return chosen.round().astype(int).tolist()
