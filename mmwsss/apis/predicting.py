"""Masks of new photos, by what a fit has trained."""
import os.path as osp
from contextlib import ExitStack
from functools import partial
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from mmengine.config import Config

from mmwsss.datasets.label_files import find_label_source
from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.csv_files import write_csv
from mmwsss.files.json_files import read_json, write_json
from mmwsss.files.maps import read_map
from mmwsss.files.masks import MaskClasses, read_mask
from mmwsss.files.photos import image_name, read_photo
from mmwsss.files.work_size import fit_mask, fit_photo, work_size
from mmwsss.parallel.listeners import told_to
from mmwsss.parallel.progress import in_threads
from mmwsss.problems import ConfigError, DataError
from mmwsss.registry import DATASETS
from mmwsss.visualization import PICTURE_SIDE, write_picture
from mmwsss.visualization.overlays import mask_overlay

from .config import load_config
from .generation import generate_pseudo_labels
from .machine import use_device
from .manifest import refuse_photo_folder
from .model_names import NETWORKS, trained_network
from .quiet_console import quiet_console
from .run_progress import RunProgress, screen
from .testing import test

_MANY = 1 << 30  # photos that may be bad


def predict(run_dir: str,
            photos: str,
            out_dir: str,
            labels: Optional[str] = None,
            device: Optional[str] = None,
            verbose: bool = False,
            lenient: bool = False) -> List[Dict[str, Any]]:
    """Segment photos with the networks of a fit.

    Written to ``out_dir``: ``masks/*.png`` at the photos' own sizes in the
    colours of the classes, ``overlays/*.png``, and ``predictions.csv`` and
    ``predictions.json`` with the classes found and their areas. A photo that
    cannot be read is named, and left out. The segmentor predicts; where none
    is trained yet, the localizer does, and a line says so.

    Args:
        run_dir (str): The folder of :func:`mmwsss.apis.fit`.
        photos (str): A photo, or a folder of photos.
        out_dir (str): Where to write.
        labels (str, optional): File of the photos' tags; then no other
            classes are found in them. Defaults to None: any class.
        device (str, optional): See :func:`mmwsss.apis.plan`.
        verbose (bool): Show the whole log.
        lenient (bool): Take photos that can be decoded though they show signs
            of damage. Defaults to False.

    Returns:
        list[dict]: For each photo ``photo``, ``mask`` and ``areas``, the
        share of the pixels by class.

    Raises:
        ConfigError: If nothing is trained yet, or ``out_dir`` cannot be
            written to, lies among the photos or holds them.
        DataError: If no photo can be read, or tags are wrong.
    """
    run_dir, out_dir = (osp.abspath(osp.expanduser(path))
                        for path in (run_dir, out_dir))
    network, checkpoint = trained_network(run_dir)
    photos = _readable(photos, lenient)
    refuse_photo_folder(out_dir, photos, '--out', above=True)
    use_device(device)
    require_writable(out_dir)
    cfg = load_config(osp.join(run_dir, f'{network}.py'),
                      dict(lenient=True) if lenient else None,
                      work_dir=osp.join(out_dir, 'log'))
    if network != NETWORKS[0]:
        screen().print(f'{run_dir}: no {NETWORKS[0]} is trained yet: masks '
                       f'are the {network}\'s')
    with ExitStack() as stack:
        if not verbose:
            progress = stack.enter_context(
                RunProgress(dict(predict=1.), screen()))
            stack.enter_context(told_to(progress))
            stack.enter_context(quiet_console(
                osp.join(out_dir, 'predict.log'), progress.console.print))
            progress.stage('predict')
        dataset = _photos(cfg, photos, labels, out_dir)
        built = DATASETS.build(dict(
            dataset, skip_bad=_MANY, check_images='decode',
            pipeline=[dict(type='LoadPhoto', lenient=lenient)]))
        dataset.update(leave_out=built.bad, check_images=False)
        if network == 'segmentor':
            _segment(cfg, checkpoint, dataset, out_dir)
        else:
            _localize(cfg, checkpoint, dataset, out_dir, run_dir)
        found = _looked_at(built, out_dir)
    _write_tables(found, built.bad, out_dir)
    return found


def _readable(photos: str, lenient: bool) -> str:
    """The full path of a folder, or of one photo that can be read.

    Raises:
        DataError: If it is neither.
    """
    photos = osp.abspath(osp.expanduser(photos))
    if osp.isfile(photos):
        read_photo(photos, lenient)  # a list of one would say it less plainly
    elif not osp.isdir(photos):
        raise DataError(f'photos {photos}: no such file or folder')
    return photos


def _photos(cfg: Config, photos: str, labels: Optional[str],
            out_dir: str) -> Dict[str, Any]:
    """Config of the data set of new photos, with tags where there are any."""
    listed = ''
    if osp.isfile(photos):
        listed = osp.join(out_dir, 'log', 'photo.txt')
        write_atomically(listed, osp.basename(photos).encode())
        photos = osp.dirname(photos)
    dataset = dict(
        type='PhotoFolder', data_root=photos, ann_file=listed,
        metainfo=cfg.train_dataloader.dataset.metainfo.to_dict(),
        data_prefix=dict(img_path=''))
    if labels is not None:
        dataset.update(type='ImageLevelDataset',
                       label_source=find_label_source(labels))
    return dataset


def _segment(cfg: Config, checkpoint: str, dataset: Dict[str, Any],
             out_dir: str) -> None:
    if 'label_source' in dataset:
        cfg.tta_model.tags_only = True
        cfg.tta_pipeline[-1].transforms[-1] = [
            dict(type='PackImageLevelInputs')]
    cfg.test_dataloader.dataset = dataset
    cfg.test_evaluator.format_only = True
    test(cfg, checkpoint, tta=True, out_dir=osp.join(out_dir, 'masks'))


def _localize(cfg: Config, checkpoint: str, dataset: Dict[str, Any],
              out_dir: str, run_dir: str) -> None:
    """Masks from maps: of the tagged classes, or of those that it finds."""
    scores = osp.join(run_dir, 'pseudo_train', 'scores.json')
    if not osp.isfile(scores):
        raise ConfigError(f'{run_dir}: no masks yet, so no threshold is '
                          'known; let "mmwsss fit" go on first')
    threshold = read_json(scores)['threshold']
    generate = partial(generate_pseudo_labels, checkpoint=checkpoint,
                       split='test', threshold=threshold, overwrite=True)
    if 'label_source' not in dataset:
        names = dataset['metainfo']['classes'][1:]
        built = DATASETS.build(dict(dataset, pipeline=[]))
        photos = [image_name(built.get_data_info(i)['img_path'])
                  for i in range(len(built))]
        everything = osp.join(out_dir, 'log', 'all_classes.json')
        write_json(everything, {name: list(names) for name in photos})
        dataset.update(type='ImageLevelDataset', label_source=dict(
            type='TableLabels', file=everything))
        cfg.test_dataloader = dict(dataset=dataset)
        folder = osp.join(out_dir, 'log', 'all_classes')
        generate(cfg, out_dir=folder)
        tags = osp.join(out_dir, 'log', 'found_classes.json')
        write_json(tags, {name: _found(read_map(osp.join(
            folder, 'maps', f'{name}.npz')).scores, names)
            for name in photos})
        dataset['label_source'] = dict(type='TableLabels', file=tags)
    cfg.test_dataloader = dict(dataset=dataset)
    generate(cfg, out_dir=out_dir)


def _found(scores: Optional[np.ndarray], names: Sequence[str]) -> List[str]:
    """The classes that are likelier there than not, or the likeliest."""
    if scores is None:
        raise DataError('maps without scores; run the command again with '
                        'another --out')
    present = np.flatnonzero(scores >= 0.5)
    chosen = present.tolist() or [int(scores.argmax())]
    return [names[i] for i in chosen]


def _looked_at(dataset: Any, out_dir: str) -> List[Dict[str, Any]]:
    """Areas by class of every photo; writes its overlay."""
    classes, palette = (dataset.metainfo[name]
                        for name in ('classes', 'palette'))
    paths = [dataset.get_data_info(i)['img_path']
             for i in range(len(dataset))]

    def look(path: str) -> Dict[str, Any]:
        name = image_name(path)
        place = osp.join(out_dir, 'masks', f'{name}.png')
        mask = read_mask(place, MaskClasses(len(classes)))
        photo = read_photo(path, lenient=True)  # it was looked at before
        size = work_size(photo.shape[:2], PICTURE_SIDE)
        write_picture(
            osp.join(out_dir, 'overlays', f'{name}.png'),
            mask_overlay(fit_photo(photo, size), fit_mask(mask, size),
                         palette))
        areas = np.bincount(mask.ravel(), minlength=256)
        return dict(photo=path, mask=place, areas={
            name: round(areas[i] / mask.size, 6)
            for i, name in enumerate(classes) if i and areas[i]})

    return list(in_threads(look, paths, 'Overlays', len(paths)))


def _write_tables(found: Sequence[Dict[str, Any]], bad: Sequence[str],
                  out_dir: str) -> None:
    """``predictions.csv``, a row a class of a photo, and the same as JSON."""
    write_csv(osp.join(out_dir, 'predictions.csv'), [
        ('photo', 'class', 'area_percent'),
        *((one['photo'], name, f'{100 * share:.2f}') for one in found
          for name, share in one['areas'].items() or [('', 0.)])])
    write_json(osp.join(out_dir, 'predictions.json'),
               dict(photos=list(found), not_read=list(bad)))
