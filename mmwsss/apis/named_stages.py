"""Pipelines that a config spells out, stage by stage."""
import os.path as osp
from typing import Any, Dict, List, Optional

from mmengine.config import Config

from mmwsss.problems import ConfigError, unknown_name

from .config import fitting_options, load_config
from .stages import CheckLabels, Generate, Stage, Test, Train

KINDS = {kind.__name__: kind for kind in (CheckLabels, Generate, Test, Train)}


def named_stages(cfg: Config, path: str, work_dir: str,
                 cfg_options: Optional[dict] = None) -> List[Stage]:
    """The stages that a pipeline's config lists.

    ``stages`` is a list of dicts with ``type``, one of ``KINDS``, ``name``,
    ``config`` (from the folder of the pipeline's config on), ``inputs`` and
    the other attributes of the kind; ``options`` are set in the stage's
    config, where ``{work_dir}`` stands for the work folder::

        stages = [
            dict(type='Train', name='localizer', config='mmct_voc.py'),
            dict(type='Generate', name='maps', config='mmct_voc.py',
                 inputs=dict(checkpoint='localizer')),
            dict(type='Train', name='segmentor', inputs=dict(masks='maps'),
                 config='deeplabv1_r38d_voc.py',
                 options=dict(pseudo_masks='{work_dir}/maps/masks')),
        ]

    Args:
        cfg (Config): The pipeline's config.
        path (str): Its file.
        work_dir (str): Where everything is written.
        cfg_options (dict, optional): Options; each stage's config gets those
            that it has, one that none has is an error.

    Returns:
        list[Stage]: In the order of the list.

    Raises:
        ConfigError: If a kind, an attribute or an input is unknown.
    """
    entries: List[Dict[str, Any]] = [one.to_dict() for one in cfg.stages]
    folder = osp.dirname(osp.abspath(path))
    files = [osp.join(folder, str(one.pop('config', ''))) for one in entries]
    fitting = fitting_options(files, cfg_options or {})
    stages: List[Stage] = []
    for entry, file, options in zip(entries, files, fitting):
        where = f'{path}, stage {entry.get("name")!r}'
        kind = entry.pop('type', '')
        if kind not in KINDS:
            raise ConfigError(f'{where}: {unknown_name("type", kind, KINDS)}')
        for name in dict(entry.get('inputs', {})).values():
            known = [stage.name for stage in stages]
            if name not in known:
                raise ConfigError(
                    f'{where}: {unknown_name("earlier stage", name, known)}')
        own = {key: value.replace('{work_dir}', work_dir)
               if isinstance(value, str) else value
               for key, value in entry.pop('options', {}).items()}
        try:
            stages.append(KINDS[kind](
                config=load_config(file, {**options, **own}), **entry))
        except TypeError as error:
            raise ConfigError(f'{where}: {error}') from error
    return stages
