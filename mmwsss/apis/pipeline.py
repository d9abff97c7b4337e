"""From image-level labels to a tested segmentor, in one call."""
import copy
import hashlib
import json
import os.path as osp
import shutil
from functools import partial
from typing import Callable, Dict, List, Optional

from mmengine.config import Config
from mmengine.logging import print_log
from prettytable import PrettyTable

from mmwsss.datasets.map_files import read_mask, write_atomically
from mmwsss.datasets.transforms import read_photo
from mmwsss.registry import DATASETS
from mmwsss.visualization import (
    mask_overlay,
    picture_sheet,
    write_picture,
)

from .config import load_config, require_writable
from .generation import evenly, generate_pseudo_labels
from .testing import test
from .training import best_checkpoint, train


def run_pipeline(localizer: str,
                 segmentor: str,
                 work_dir: str,
                 cfg_options: Optional[dict] = None) -> Dict[str, dict]:
    """Train a localizer, write pseudo masks, train and test a segmentor.

    Each stage has a folder under ``work_dir``. A stage that is finished and
    whose config and inputs have not changed is not run again; an interrupted
    training goes on from its last checkpoint.

    Args:
        localizer (str): Config file of the localizer.
        segmentor (str): Config file of the segmentor.
        work_dir (str): Where everything is written.
        cfg_options (dict, optional): Options for both configs, such as
            ``data_root``; one that a config does not have is an error.

    Returns:
        dict: Stage name -> its scores.
    """
    require_writable(work_dir)
    folders = {name: osp.join(work_dir, name)
               for name in ('localizer', 'pseudo_train', 'pseudo_val',
                            'segmentor', 'test')}
    loc = load_config(localizer, cfg_options, folders['localizer'])
    seg = load_config(
        segmentor,
        dict(cfg_options or {},
             pseudo_masks=osp.join(folders['pseudo_train'], 'masks')),
        folders['segmentor'])
    stages = _Stages()

    def train_stage(cfg: Config) -> dict:
        train(cfg, resume=True)
        return dict(checkpoint=best_checkpoint(cfg.work_dir))

    trained = stages.run('localizer', folders['localizer'], loc,
                         lambda: train_stage(loc))
    for split in ('train', 'val'):
        name = f'pseudo_{split}'
        stages.run(name, folders[name], loc, partial(
            generate_pseudo_labels, loc, trained['checkpoint'],
            folders[name], split))
    trained_seg = stages.run('segmentor', folders['segmentor'], seg,
                             lambda: train_stage(seg))

    def test_stage() -> dict:
        cfg = copy.deepcopy(seg)
        cfg.work_dir = folders['test']
        predictions = osp.join(folders['test'], 'predictions')
        scores = test(cfg, trained_seg['checkpoint'], tta=True,
                      out_dir=predictions)
        _prediction_sheet(cfg, predictions, folders['test'])
        return scores

    stages.run('test', folders['test'], seg, test_stage)
    print_log('\n' + _summary(stages.results), 'current')
    for name in ('pseudo_train', 'pseudo_val', 'test'):
        print_log(f'overlays: {osp.join(folders[name], "overlays.png")}',
                  'current')
    return stages.results


class _Stages:
    """Runs stages in order; skips those that are up to date.

    A stage's key covers its config and the keys of all stages before it.
    """

    def __init__(self) -> None:
        self.key = ''
        self.results: Dict[str, dict] = {}

    def run(self, name: str, folder: str, cfg: Config,
            work: Callable[[], dict]) -> dict:
        """Results of a stage, from its folder or from ``work``."""
        content = [self.key, name, cfg.pretty_text]
        self.key = hashlib.sha256(repr(content).encode()).hexdigest()
        path = osp.join(folder, 'stage.json')
        stored = {}
        if osp.isfile(path):
            with open(path) as file:
                stored = json.load(file)
        if stored.get('key') != self.key:
            # What lies here comes from other settings: not to be resumed.
            shutil.rmtree(folder, ignore_errors=True)
        results = stored.get('results')
        if stored.get('key') == self.key and results is not None:
            print_log(f'[{name}] finished before, re-used: {folder}',
                      'current')
        else:
            print_log(f'[{name}] -> {folder}', 'current')
            _write_json(path, dict(key=self.key, results=None))
            results = work()
            _write_json(path, dict(key=self.key, results=results))
        self.results[name] = results
        return results


def _write_json(path: str, content: dict) -> None:
    write_atomically(path, json.dumps(content, indent=1).encode())


def _prediction_sheet(cfg: Config, predictions: str, out_dir: str,
                      count: int = 12) -> None:
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    palette = dataset.metainfo['palette']
    rows: List[list] = []
    for index in evenly(len(dataset), count):
        info = dataset.get_data_info(index)
        photo = read_photo(info['img_path'])
        name = osp.splitext(osp.basename(info['img_path']))[0]
        mask = read_mask(osp.join(predictions, f'{name}.png'))
        truth = read_mask(info['seg_map_path'])
        rows.append([('', photo),
                     ('segmentor', mask_overlay(photo, mask, palette)),
                     ('truth', mask_overlay(photo, truth, palette))])
    write_picture(osp.join(out_dir, 'overlays.png'),
                  picture_sheet(rows, columns=2))


def _summary(results: Dict[str, dict]) -> str:
    """The score table of a finished pipeline."""
    table = PrettyTable(['stage', 'split', 'score', '%'], align='l')
    for split in ('train', 'val'):
        scores = results[f'pseudo_{split}']
        if 'mAP' in scores:
            table.add_row(['localizer', split, 'mAP',
                           f'{scores["mAP"]:.1f}'])
        if 'mIoU' in scores:
            table.add_row(['pseudo masks', split,
                           f'mIoU at threshold {scores["threshold"]:.2f}',
                           f'{scores["mIoU"]:.1f}'])
    for name, value in results['test'].items():
        if name.startswith('mIoU'):
            table.add_row(['segmentor, multi-scale + flip', 'val', name,
                           f'{value:.1f}'])
    return table.get_string()
