"""What a config compares photos with, as prompts by class."""
from typing import Any, Dict, Tuple

from mmengine.config import Config

from mmwsss.datasets.class_prompts import get_class_prompts
from mmwsss.problems import ConfigError, unknown_name

_NEEDED = ('text_classes', 'text_template', 'text_embeddings')


def config_texts(cfg: Config) -> Dict[str, Any]:
    """What :func:`mmwsss.preparation.extract_text_embeddings` needs.

    Read from the config's ``text_classes`` (a class list or a file),
    ``text_phrases`` (class -> the phrase that stands for it),
    ``background_words``, ``text_template``, ``text_attributes`` (a file of
    descriptions) and ``text_clusters``.

    Args:
        cfg (Config): As ``configs/clip_es_voc.py``.

    Returns:
        dict: Arguments by name.

    Raises:
        ConfigError: If the config has no such variables, a name in
            ``text_phrases`` is no class, or a background word is one.
    """
    missing = [key for key in _NEEDED if cfg.get(key) is None]
    if missing:
        raise ConfigError(f'{cfg.filename}: it has no {missing[0]}; give a '
                          'config as clip_es_voc.py, or --classes')
    phrases = get_class_prompts(cfg.text_classes)
    own = dict(cfg.get('text_phrases') or {})
    for name in own:
        if name not in phrases:
            raise ConfigError('text_phrases: ' +
                              unknown_name('class', name, phrases))
    words = list(cfg.get('background_words') or ())
    both = next((word for word in words if word in phrases), None)
    if both is not None:
        raise ConfigError(f'background_words: {both!r} is a class; take it '
                          'off the list')
    classes: Dict[str, Tuple[str, ...]] = {
        name: (own.get(name, name), ) for name in phrases}
    return dict(classes=classes, templates=[cfg.text_template],
                background=words, attributes=cfg.get('text_attributes'),
                clusters=cfg.get('text_clusters'))
