"""Where a model comes from: a run's folder, a config, or a name."""
import glob
import os.path as osp
from typing import List, NamedTuple, Optional, Tuple

from mmengine.config import Config

from mmwsss.files.json_files import read_json
from mmwsss.files.run_folder import best_whole_checkpoint
from mmwsss.problems import ConfigError, unknown_name

from .config import load_config
from .plan_configs import shipped_configs
from .stages import RECORD
from .untrained import check_weights_are_named, needs_no_training

NETWORKS = ('segmentor', 'localizer')
"""Of a run's networks the first that is trained segments."""


class FoundModel(NamedTuple):
    """A model that can be built.

    Attributes:
        cfg (Config): Its config.
        checkpoint (str, optional): Its weights; None for one that needs no
            training.
        threshold (float, optional): Background threshold of a run's masks.
    """
    cfg: Config
    checkpoint: Optional[str]
    threshold: Optional[float] = None


def list_models() -> List[str]:
    """Names of the shipped configs, without '.py'."""
    return sorted(osp.splitext(osp.basename(path))[0] for path in glob.glob(
        osp.join(glob.escape(shipped_configs()), '*.py')))


def find_model(model: str, weights: Optional[str] = None,
               network: Optional[str] = None,
               cfg_options: Optional[dict] = None) -> FoundModel:
    """Config, weights and threshold of a model.

    Args:
        model (str): Folder of a fit or of a pipeline, path of a config, or
            name of a shipped one.
        weights (str, optional): Path or URL. Defaults to None: a run's own,
            the best of the config's work folder, or none where none are
            needed.
        network (str, optional): Which network of a run, 'segmentor' or
            'localizer'. Defaults to None: the first that is trained.
        cfg_options (dict, optional): See
            :func:`mmwsss.apis.config.load_config`. Defaults to None.

    Raises:
        ConfigError: If there is no such model or it has no weights.
    """
    path = osp.expanduser(model)
    if osp.isdir(path):
        if weights is not None:
            raise ConfigError('weights: those of the run are taken; for '
                              'others name its config instead of its folder')
        return _of_run(path, network, cfg_options)
    if network is not None:
        raise ConfigError(f'network={network!r}: {model} is no folder of a '
                          'run')
    if not osp.isfile(path):
        path = osp.join(shipped_configs(),
                        model if model.endswith('.py') else f'{model}.py')
        if not osp.isfile(path):
            raise ConfigError(
                'neither a folder nor a config: ' +
                unknown_name('model', model, list_models()))
    cfg = load_config(path, cfg_options)
    if weights is None and needs_no_training(cfg):
        check_weights_are_named(cfg)
        return FoundModel(cfg, None)
    weights = weights or best_whole_checkpoint(cfg.work_dir)
    if weights is None:
        raise ConfigError(f'{model}: give weights, the path or URL of a '
                          f'checkpoint; {cfg.work_dir} holds none')
    return FoundModel(cfg, weights)


def _of_run(folder: str, network: Optional[str],
            cfg_options: Optional[dict]) -> FoundModel:
    name, checkpoint = trained_network(folder, network)
    scores = osp.join(folder, 'pseudo_train', 'scores.json')
    return FoundModel(
        load_config(_run_config(folder, name), cfg_options), checkpoint,
        read_json(scores).get('threshold') if osp.isfile(scores) else None)


def trained_network(folder: str,
                    network: Optional[str] = None) -> Tuple[str, str]:
    """A network of a run, and its checkpoint.

    Args:
        folder (str): The run's.
        network (str, optional): See :func:`find_model`.

    Raises:
        ConfigError: If none is trained.
    """
    if network not in (None, *NETWORKS):
        raise ConfigError(f'network={network!r}: use one of {NETWORKS}')
    for name in [network] if network else NETWORKS:
        record = osp.join(folder, name, RECORD)
        results = (read_json(record).get('results') or {}
                   if osp.isfile(record) else {})
        checkpoint = osp.join(folder, name, results.get('checkpoint') or '')
        if osp.isfile(checkpoint):
            return name, checkpoint
    raise ConfigError(f'{folder}: no trained network; run "mmwsss fit" or '
                      f'tools/run_pipeline.py with --work-dir {folder} first')


def _run_config(folder: str, network: str) -> str:
    """A fit's own config, or the copy that a training has left."""
    own = osp.join(folder, f'{network}.py')
    if osp.isfile(own):
        return own
    copies = glob.glob(osp.join(glob.escape(folder), network, '*.py'))
    if len(copies) != 1:
        raise ConfigError(f'{folder}: no config of its {network}; name the '
                          'config, and give its checkpoint as weights')
    return copies[0]
