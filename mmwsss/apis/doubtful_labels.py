"""Which image-level labels of one's photos should be looked at again."""
import copy
import csv
import io
import os.path as osp
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor, nn

from mmwsss.datasets import ImageLevelDataset
from mmwsss.evaluation.held_out_labels import (
    held_out_probabilities,
    judged_classes,
)
from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.checkpoints import load_weights
from mmwsss.files.json_files import write_json
from mmwsss.models.photo_features import PhotoFeatures
from mmwsss.ops import label_doubt, most_doubtful
from mmwsss.parallel.devices import choose_device
from mmwsss.parallel.progress import progress_bar
from mmwsss.problems import ConfigError
from mmwsss.registry import DATASETS, MODELS, forget_pretrained

from .generation import split_dataset

REPORT = 'doubtful_labels.json'
_ROWS = 200  # more are looked at by nobody
_LONGER_SIDE = 320  # pixels; a photo's class needs no more


def find_doubtful_labels(cfg: Config,
                         out_dir: str,
                         checkpoint: Optional[str] = None,
                         split: str = 'train',
                         folds: int = 5,
                         seed: int = 0,
                         share: float = 0.05) -> dict:
    """List the labels that contradict what the photos look like.

    Without a checkpoint each label is judged by a classifier that has not
    seen it: a logistic regression on the other folds' labels and on features
    of the backbone as it was pre-trained, see
    :func:`~mmwsss.evaluation.held_out_labels.held_out_probabilities`. A
    localizer's own scores can stand in where there are no pre-trained
    weights. The doubt is that of :func:`~mmwsss.ops.label_doubt`.

    Written to ``out_dir``: ``doubtful_labels.json`` and, for people,
    ``doubtful_labels.csv``.

    Args:
        cfg (Config): Config of a localizer.
        out_dir (str): Where to write.
        checkpoint (str, optional): Path or URL of the localizer's weights,
            whose scores are then used. Defaults to None: features of
            ``model.backbone.pretrained``.
        split (str): 'train', 'val', 'test', or a list of images, see
            :func:`~mmwsss.apis.generate_pseudo_labels`.
        folds (int): Number of folds, at least 2. Defaults to 5.
        seed (int): What the folds follow from. Defaults to 0.
        share (float): At most this share of the photos is listed, see
            :func:`~mmwsss.ops.most_doubtful`. Defaults to 0.05;
            docs/own_photos.md says what it was measured on.

    Returns:
        dict: What ``doubtful_labels.json`` holds: ``rows``, the most doubtful
        first and 200 at most, each with ``image``, ``path``, ``class``,
        ``tagged``, ``probability`` and ``doubt`` (from 0.5 on);
        ``photos``, ``share``, ``folds`` (None with a checkpoint),
        ``features``, what they come from; ``left_out``, class -> why it was
        not judged; and ``caution``, a sentence or None.

    Raises:
        ConfigError: If the config is none of a localizer, there is neither
            a checkpoint nor pre-trained weights, or the share is none.
        DataError: If photos, labels or weights are wrong.
    """
    if folds < 2:
        raise ConfigError(f'folds={folds}: give at least 2')
    if not 0 < share <= 1:
        raise ConfigError(f'share={share}: give a share of the photos, above '
                          '0 and at most 1')
    cfg = copy.deepcopy(cfg)
    options = _photos(cfg, split)
    if checkpoint is None:
        _require_pretrained(cfg)
    out_dir = require_writable(out_dir)
    dataset = DATASETS.build(options)
    if not isinstance(dataset, ImageLevelDataset):
        raise ConfigError(f'{cfg.filename}: its {split} photos have no '
                          'image-level labels; name a config of a localizer')
    labels, names = dataset.labels, list(dataset.metainfo['classes'][1:])
    left_out: Dict[str, str] = {}
    report: Dict[str, Any] = dict(photos=len(dataset), seed=seed,
                                  share=share)
    if checkpoint is None:
        left_out = _left_out(labels, names, folds)
        probabilities = np.full(labels.shape, np.nan)
        if len(left_out) < len(names):
            features = pretrained_features(cfg, split)
            probabilities = held_out_probabilities(features, labels, folds,
                                                   seed)
        pretrained = osp.basename(cfg.model.backbone.pretrained)
        report.update(folds=folds, features=(
            f'{cfg.model.backbone.type} as pre-trained ({pretrained}), '
            f'logistic regression on the labels of the other folds'))
    else:
        probabilities = localizer_scores(cfg, split, checkpoint, names)
        report.update(folds=None, features=(
            f'scores of the trained localizer ({osp.basename(checkpoint)})'))
    rows = _rows(dataset, names, labels, probabilities, share)
    report.update(left_out=left_out, caution=_caution(
        checkpoint, split, len(left_out) == len(names)), rows=rows)
    write_json(osp.join(out_dir, REPORT), report)
    _write_csv(osp.join(out_dir, 'doubtful_labels.csv'), rows)
    for name, reason in left_out.items():
        print_log(f'{name}: labels not judged, {reason}', 'current')
    return report


def _photos(cfg: Config, split: str) -> dict:
    """Config of the data set of a split."""
    if cfg.get('localize_pipeline') is None or (
            cfg.get('model', {}).get('backbone') is None):
        raise ConfigError(f'{cfg.filename}: is no config of a localizer; name '
                          'one, e.g. configs/mmct_voc.py')
    return split_dataset(cfg, split)


def _require_pretrained(cfg: Config) -> None:
    if not cfg.model.backbone.get('pretrained'):
        raise ConfigError(
            f'{cfg.filename}: model.backbone.pretrained names no weights '
            'to judge labels with; name some, or give the checkpoint of the '
            'trained localizer')


def _left_out(labels: np.ndarray, names: List[str],
              folds: int) -> Dict[str, str]:
    """The classes that cannot be judged in folds, and why."""
    judged = judged_classes(labels, folds)
    counts = (labels > 0).sum(0).tolist()
    return {name: f'{count} of {len(labels)} photos have it; {folds} have to '
            f'have it, and {folds} to lack it'
            for name, count, fine in zip(names, counts, judged) if not fine}


def pretrained_features(cfg: Config, split: str) -> np.ndarray:
    """Features of the photos of a split, in the order of its data set.

    Args:
        cfg (Config): Config of a localizer whose backbone has ``pretrained``
            weights.
        split (str): See :func:`find_doubtful_labels`.

    Returns:
        np.ndarray: (N, D), see
        :class:`~mmwsss.models.photo_features.PhotoFeatures`.
    """
    options = _photos(cfg, split)
    for step in options['pipeline']:
        if step['type'] == 'LoadPhoto':
            step['max_side'] = min(step.get('max_side') or _LONGER_SIDE,
                                   _LONGER_SIDE)
    return _each_photo(cfg, options, PhotoFeatures(
        cfg.model.backbone.to_dict()), lambda network, batch: network(
            batch['inputs']))


def localizer_scores(cfg: Config, split: str, checkpoint: str,
                     names: Sequence[str]) -> np.ndarray:
    """Scores of a trained localizer for the photos of a split.

    Args:
        cfg (Config): Its config.
        split (str): See :func:`find_doubtful_labels`.
        checkpoint (str): Path or URL of its weights.
        names (Sequence[str]): The C classes, without the background.

    Returns:
        np.ndarray: Probabilities, (N, C), in the order of the data set.
    """
    model = copy.deepcopy(cfg.model)
    forget_pretrained(model)
    network = MODELS.build(model.to_dict())
    load_weights(network, checkpoint, ('background', *names))
    options = _photos(cfg, split)
    return _each_photo(cfg, options, network.eval(), lambda network, batch:
                       network.classify(**batch).sigmoid())


@torch.no_grad()
def _each_photo(cfg: Config, options: dict, network: nn.Module,
                look: Callable[[Any, dict], Tensor]) -> np.ndarray:
    """What a network makes of each photo, in the order of the data set."""
    network = network.to(choose_device(None))
    preprocessor = MODELS.build(cfg.model.data_preprocessor.to_dict()).to(
        choose_device(None))
    loader = Runner.build_dataloader(dict(
        batch_size=1,  # photos have their own sizes
        num_workers=cfg.get('localize_workers', 2),
        persistent_workers=False,
        sampler=dict(type='DefaultSampler', shuffle=False),
        # It was checked a moment ago.
        dataset=dict(options, check_images=False)))
    found = []
    with progress_bar('Looking at photos', len(loader)) as advance:
        for batch in loader:
            found.append(look(network, preprocessor(batch, False)).cpu())
            advance(1)
    return torch.cat(found).double().numpy()


def _rows(dataset: BaseDataset, names: List[str], labels: np.ndarray,
          probabilities: np.ndarray, share: float) -> List[dict]:
    """The labels to look at, the most doubtful first."""
    doubt = label_doubt(probabilities, labels)
    rows = []
    for image, index in most_doubtful(doubt, share)[:_ROWS]:
        info = dataset.get_data_info(int(image))
        rows.append({
            'image': info['sample_id'],
            'path': osp.abspath(info['img_path']),
            'class': names[index],
            'tagged': bool(labels[image, index] > 0),
            'probability': round(float(probabilities[image, index]), 6),
            'doubt': round(float(doubt[image, index]), 6)})
    return rows


def _caution(checkpoint: Optional[str], split: str,
             nothing: bool) -> Optional[str]:
    """What a reader has to know before trusting the rows."""
    if nothing:
        return ('No class has enough photos with and without it; nothing was '
                'judged.')
    if checkpoint is not None and split != 'val':
        return ('The localizer may have learnt from these very labels, the '
                'wrong ones too, so that it doubts them too little.')
    return None


def _write_csv(path: str, rows: List[dict]) -> None:
    """The rows as a table for a spreadsheet."""
    columns = ['image', 'class', 'tagged', 'probability', 'doubt', 'path']
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in rows:
        writer.writerow(dict(row, tagged='yes' if row['tagged'] else 'no'))
    # With the mark by which Excel knows UTF-8.
    write_atomically(path, text.getvalue().encode('utf-8-sig'))
