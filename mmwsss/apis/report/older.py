"""Photos of results that were made before ``photos.json`` was written."""
import glob
import logging
import os.path as osp
from typing import Optional, Sequence

from mmengine.logging import print_log

from mmwsss.files.result_classes import RECORDS
from mmwsss.problems import ConfigError, DataError
from mmwsss.registry import DATASETS

from ..config import load_config
from ..generation import mask_paths, split_dataset
from ..photo_records import PhotoRecords, photo_records, read_photo_records
from .runs import Part, Run


def find_records(run: Run) -> None:
    """Give each part of a run the records of its photos.

    Where ``photos.json`` is missing, the masks are looked at, with the data
    set of the config that the run left in its folders. A part whose photos
    are not to be found has none.

    Args:
        run (Run): Its parts are changed.
    """
    configs = [part.config for part in run.parts if part.config]
    # A stage alone: of the stages beside it, or of the localizer above.
    for above in (osp.join('..', '*'), osp.join('..', '..')):
        configs += sorted(glob.glob(osp.join(
            glob.escape(osp.abspath(run.folder)), above, '*.py')))
    for part in run.parts:
        try:
            part.records = read_photo_records(part.folder)
        except DataError as error:
            path = osp.join(part.folder, RECORDS)
            part.damage.note(error, path, f'to have it again, remove {path} '
                             'and make the report again')
        if part.records is None and part.scores:
            part.records = _looked_at(part, configs)


def _looked_at(part: Part, configs: Sequence[str]) -> Optional[PhotoRecords]:
    manifest = osp.join(part.folder, 'manifest.json')
    split = part.settings.get('split')
    if split is None and osp.isfile(manifest):
        split = part.damage.object(manifest).get('split', 'train')
    masks = osp.join(part.folder, 'masks' if split else 'predictions')
    if not osp.isdir(masks):
        return None
    reason = 'no config of its data lies beside it'
    for path in configs:
        try:
            cfg = load_config(path)
            data = (split_dataset(cfg, split) if split and
                    'localize_pipeline' in cfg else
                    None if split else cfg.test_dataloader.dataset.to_dict())
            if data is None:
                continue
            _move(data, cfg.work_dir, osp.dirname(osp.abspath(path)))
            dataset = DATASETS.build(dict(data, **(
                dict(check_images=False) if split else {})))
            return photo_records(dataset, mask_paths(dataset), masks)
        except (AttributeError, ConfigError, DataError, KeyError,
                FileNotFoundError, TypeError) as error:
            reason = str(error)
    print_log(f'{part.folder}: no photos in the report ({reason})',
              'current', logging.WARNING)
    return None


def _move(data: dict, work_dir: str, folder: str) -> None:
    """Paths from where the run was started, though one is elsewhere now."""
    root = data.get('data_root') or ''
    started = folder.removesuffix(osp.normpath(work_dir))
    if not osp.isabs(root) and not osp.isdir(root) and started != folder:
        data['data_root'] = osp.join(started, root)
