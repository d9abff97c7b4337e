"""Testing segmentors: augmentation, CRF, tables, a server's submission."""
import copy
import io
import os.path as osp
import tarfile
import zipfile
from typing import Dict, List, Optional

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmwsss.evaluation import ClassSubsetIoU
from mmwsss.evaluation.base_scorer import rounded
from mmwsss.files.atomic import require_writable, write_atomically
from mmwsss.files.checkpoints import load_weights
from mmwsss.files.json_files import write_json
from mmwsss.files.photos import image_name
from mmwsss.parallel.distributed import cpu_share
from mmwsss.problems import ConfigError
from mmwsss.visualization import (
    class_table,
    legend,
    photo_row,
    picture_sheet,
    write_picture,
)

from .class_counts import check_class_counts
from .generation import evenly, mask_paths
from .manifest import refuse_inputs
from .photo_records import (
    PhotoRecords,
    caption,
    photo_records,
    write_photo_records,
)
from .training import build_runner

ARCHIVES = ('.zip', '.tar', '.tar.gz', '.tgz')
_ON_SHEET = 12  # masks to look at, at most


def test(cfg: Config,
         checkpoint: str,
         tta: bool = False,
         out_dir: Optional[str] = None,
         launcher: str = 'none',
         crf: bool = False) -> dict:
    """Test a segmentor; writes ``test_scores.json`` to the work folder.

    With ``crf`` also ``test_scores_crf.json``; both have the layout that
    :func:`mmwsss.apis.result_tables.write_tables` reads.

    Args:
        cfg (Config): From :func:`mmwsss.apis.load_config`.
        checkpoint (str): Path or URL of its weights.
        tta (bool): Several scales, mirrored or not, as
            ``cfg.tta_pipeline`` and ``cfg.tta_model`` say.
        out_dir (str, optional): Predicted masks are written there, with
            ``crf`` those after it, beside them a sheet
            ``<out_dir>_overlays.png``, and to the work folder ``photos.json``
            with the scores by photo.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.
        crf (bool): Also score the masks after a dense CRF, as
            ``cfg.test_crf`` says, in the same run.

    Returns:
        dict: Metric name -> value; those after the CRF begin with 'crf/'.

    Raises:
        ConfigError: If the config lacks what is asked for, or a folder
            cannot be written to or holds what is read.
    """
    if out_dir is not None:
        out_dir = osp.expanduser(out_dir)
    runner = _test_runner(cfg, checkpoint, tta, out_dir, launcher, crf)
    if out_dir is not None:
        refuse_inputs(out_dir, runner.test_dataloader.dataset, '--out')
    metrics = {name: float(value) for name, value in runner.test().items()}
    if is_main_process():
        scored = _report(runner, metrics, dict(checkpoint=checkpoint, tta=tta),
                         runner.work_dir)
        if out_dir is not None:
            dataset = runner.test_dataloader.dataset
            records = photo_records(dataset, mask_paths(dataset), out_dir)
            write_photo_records(runner.work_dir, records)
            # Beside the masks that it shows: another test has its own.
            sheet = f'{osp.abspath(out_dir)}_overlays.png'
            _write_overlays(records, out_dir, sheet)
            print_log(_masks_line(len(records.photos), out_dir, sheet),
                      'current')
        if scored:
            print_log(f'scores: {runner.work_dir}', 'current')
        elif not metrics:
            print_log('no scores, as there are no true masks to compare with; '
                      'where there are, data_prefix.seg_map_path names their '
                      'folder', 'current')
    return metrics


def write_submission(cfg: Config,
                     checkpoint: str,
                     archive: str,
                     tta: bool = False,
                     crf: bool = False) -> int:
    """Masks of a test set without truth, packed for the evaluation server.

    The photos are those of ``cfg.submission``: ``ann_file``, the list under
    ``data_root``, and ``folder``, where the server looks for masks inside the
    archive.

    Args:
        cfg (Config): From :func:`mmwsss.apis.load_config`.
        checkpoint (str): Path or URL of the segmentor's weights.
        archive (str): The file to write, ``.zip``, ``.tar``, ``.tar.gz`` or
            ``.tgz``.
        tta (bool): See :func:`test`.
        crf (bool): Pack the masks after the CRF.

    Returns:
        int: Number of masks in the archive.

    Raises:
        ConfigError: If the config has no ``submission`` or the archive's
            name has another ending.
    """
    if not archive.endswith(ARCHIVES):
        raise ConfigError(f'--submission {archive}: end it with one of '
                          f'{ARCHIVES}')
    if cfg.get('submission') is None:
        raise ConfigError("--submission: the config has no submission=dict("
                          "ann_file=..., folder=...)")
    archive = osp.expanduser(archive)
    require_writable(osp.dirname(archive) or '.')
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = osp.expanduser(cfg.work_dir)
    dataset = cfg.test_dataloader.dataset
    dataset.ann_file = cfg.submission.ann_file
    dataset.data_prefix.pop('seg_map_path', None)
    cfg.test_evaluator.format_only = True
    masks = osp.join(cfg.work_dir, 'submission')
    runner = _test_runner(cfg, checkpoint, tta, masks, 'none', crf)
    runner.test()
    data = runner.test_dataloader.dataset
    names = [image_name(data.get_data_info(i)['img_path'])
             for i in range(len(data))]
    _pack(archive, cfg.submission.folder,
          [osp.join(masks, name + '.png') for name in names])
    print_log(f'{len(names)} masks in {archive}', 'current')
    return len(names)


def check_test(cfg: Config, tta: bool, crf: bool) -> None:
    """Raise unless a config can be tested as asked.

    Raises:
        ConfigError: Naming what it lacks.
    """
    if tta and not ('tta_model' in cfg and 'tta_pipeline' in cfg):
        raise ConfigError('--tta: the config has no tta_model and '
                          'tta_pipeline')
    if crf and cfg.get('test_crf') is None:
        raise ConfigError('--crf: the config has no test_crf=dict(...)')
    if crf and tta and not cfg.tta_model.type.endswith('WSSSegTTA'):
        raise ConfigError("--crf with --tta: needs tta_model=dict(type="
                          "'WSSSegTTA'), others keep no probabilities")
    if not isinstance(cfg.get('test_evaluator'), dict):
        raise ConfigError('the config needs one test_evaluator, e.g. '
                          "dict(type='ClassSubsetIoU')")


def _test_runner(cfg: Config, checkpoint: str, tta: bool,
                 out_dir: Optional[str], launcher: str, crf: bool) -> Runner:
    """A Runner with the weights loaded, ready to test."""
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = require_writable(cfg.work_dir)
    cfg.launcher = launcher
    if out_dir is not None:
        require_writable(out_dir)
    check_test(cfg, tta, crf)
    if crf:
        plain = cfg.test_evaluator
        # Without a GPU the network needs the cores itself.
        workers = cpu_share() if torch.cuda.is_available() else 0
        cfg.test_evaluator = [plain, dict(
            plain, type='CRFIoU', prefix='crf', crf=cfg.test_crf,
            num_workers=workers, output_dir=out_dir)]
    elif out_dir is not None:
        cfg.test_evaluator.output_dir = out_dir
    if tta:
        cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
        cfg.model = dict(**cfg.tta_model, module=cfg.model)
    _check_photos(cfg.test_dataloader.dataset)
    runner = build_runner(cfg)
    model = runner.model
    if is_model_wrapper(model):  # of a distributed test
        model = model.module
    check_class_counts(cfg, model.module if tta else model, ['test'])
    metainfo = getattr(runner.test_dataloader.dataset, 'metainfo', {})
    load_weights(model.module if tta else model, checkpoint,
                 metainfo.get('classes') or ())
    return runner


def _check_photos(dataset: dict) -> None:
    """Raise unless the list and the folder of photos are there.

    Mmseg's data sets fail without a word. One that wraps others is left to
    them.
    """
    if 'data_prefix' not in dataset:
        return
    root = dataset.get('data_root') or ''
    folder = osp.join(root, dataset['data_prefix'].get('img_path', ''))
    listed = dataset.get('ann_file')
    for kind, path, found in (
            ('folder of photos', folder, osp.isdir(folder)),
            ('list of photos', osp.join(root, listed or ''),
             not listed or osp.isfile(osp.join(root, listed)))):
        if not found:
            raise ConfigError(
                f'no {kind} {path} (data_root is {root!r}; set it with '
                '--cfg-options data_root=DIR)')


def _masks_line(count: int, folder: str, sheet: str) -> str:
    """Where masks are, and how many of them are to be seen at a glance."""
    if count > _ON_SHEET:
        return f'masks: {folder}, {_ON_SHEET} of {count:,} on {sheet}'
    one = 'the one' if count == 1 else f'all {count}'
    return f'masks: {folder}, {one} on {sheet}' if count else (
        f'masks: none, there is no photo for {folder}')


def _report(runner: Runner, metrics: Dict[str, float], settings: dict,
            work_dir: str) -> bool:
    """Print the table by class; write its columns as result files.

    Returns:
        bool: Whether there was anything to write.
    """
    columns = {
        'IoU after CRF' if metric.prefix == 'crf' else 'IoU': metric.class_iou
        for metric in runner.test_evaluator.metrics
        if isinstance(metric, ClassSubsetIoU) and metric.class_iou}
    if not columns:
        return False
    print_log('\n' + class_table(
        list(columns['IoU']),
        {key: list(iou.values()) for key, iou in columns.items()}), 'current')
    for heading, iou in columns.items():
        crf = heading != 'IoU'
        known = [value for value in iou.values() if value == value]
        report = dict(
            settings, crf=crf,
            mIoU=round(sum(known) / len(known), 4) if known else None,
            # None for a class that does not occur
            IoU={name: rounded(value) for name, value in iou.items()},
            metrics={name: value for name, value in metrics.items()
                     if name.startswith('crf/') == crf})
        name = 'test_scores_crf.json' if crf else 'test_scores.json'
        write_json(osp.join(work_dir, name), report)
    return True


def _write_overlays(records: PhotoRecords, masks: str, path: str) -> None:
    """A sheet of photos, predicted and true masks."""
    rows = []
    for index in evenly(len(records.photos), _ON_SHEET):
        photo = records.photos[index]
        rows.append(photo_row(
            photo.name, photo.photo,
            [(caption('segmentor', photo, records.classes),
              osp.join(masks, photo.name + '.png'), None),
             ('truth', photo.truth, records.values)], records.palette))
    if rows:
        write_picture(path, picture_sheet(
            rows, columns=2, legend=legend(records.classes,
                                           records.palette)))


def _pack(archive: str, folder: str, paths: List[str]) -> None:
    """Write an archive of the files; it appears whole or not at all."""
    buffer = io.BytesIO()
    if archive.endswith('.zip'):
        with zipfile.ZipFile(buffer, 'w') as file:
            for path in paths:
                file.write(path, f'{folder}/{osp.basename(path)}')
    else:
        with (tarfile.open(fileobj=buffer, mode='w')
              if archive.endswith('.tar') else
              tarfile.open(fileobj=buffer, mode='w:gz')) as tar:
            for path in paths:
                tar.add(path, f'{folder}/{osp.basename(path)}')
    write_atomically(archive, buffer.getvalue())
