"""Writing CLIP text embeddings of class names."""
import warnings
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmseg.models.text_encoder import CLIPTextEncoder
from mmseg.utils.tokenizer import tokenize
from torch import Tensor

from mmwsss.datasets.class_prompts import ClassPrompts, get_class_prompts
from mmwsss.files.atomic import require_writable_file, write_npz
from mmwsss.models.clip import build_text_encoder
from mmwsss.models.clip_weights import (
    PathLike,
    clip_model_name,
    read_clip_state_dict,
)
from mmwsss.parallel.devices import choose_device
from mmwsss.problems import DataError, unknown_name

from .attributes import adopt_attributes, read_descriptions

Classes = Union[str, Sequence[str], Mapping[str, Sequence[str]]]


def extract_text_embeddings(
        out_file: PathLike,
        classes: Classes,
        weights: PathLike,
        templates: Sequence[str] = ('a photo of a {}', ),
        synonyms: Optional[Mapping[str, Sequence[str]]] = None,
        model_name: Optional[str] = None,
        device: Optional[str] = None,
        background: Sequence[str] = (),
        attributes: Optional[str] = None,
        clusters: Optional[int] = None) -> str:
    """Write CLIP's text embeddings of class names.

    The embedding of a class is the mean of the unit-length embeddings of all
    its phrases in all templates, brought to unit length (Radford et al. 2021,
    section 3.1.4). The file is an ``.npz`` with ``names`` (C,), ``embeddings``
    (C, E) float32, ``model`` and ``prompt``.

    Args:
        out_file (str | PathLike): The ``.npz`` to write.
        classes (str | Sequence[str] | Mapping): ``'voc12'``, ``'coco80'``, a
            text file (see :func:`mmwsss.datasets.class_prompts.
            get_class_prompts`), class names, or a mapping from the data set's
            class names to the phrases that stand for them in prompts.
        weights (str | PathLike): Path or URL of a plain CLIP state dict in
            OpenAI's, mmseg's (SAN) or Hugging Face's layout, trained with
            QuickGELU as OpenAI's are.
        templates (Sequence[str]): Prompts with ``{}`` for the phrase.
            Defaults to 'a photo of a {}' alone.
        synonyms (Mapping[str, Sequence[str]], optional): Further phrases for
            some of the classes. Defaults to None.
        model_name (str, optional): Stored as ``model``; by default read from
            the weights, e.g. 'CLIP ViT-B/16'.
        device (str, optional): 'cpu', 'cuda', ...; by default the GPU if
            there is one.
        background (Sequence[str]): Words for the background, whose rows
            follow the classes. Defaults to (): none.
        attributes (str, optional): JSON file of sentences that describe the
            classes, see :func:`read_descriptions`; each class adopts some, see
            :func:`adopt_attributes`. Defaults to None.
        clusters (int, optional): Of all sentences. Needed with
            ``attributes``.

    Returns:
        str: ``out_file``.

    Raises:
        DataError: If the classes, templates or synonyms are not usable, or
            the weights are unsafe or not those of a CLIP model.
        FileNotFoundError: If there are no such weights.
    """
    out_file = require_writable_file(out_file)
    phrases = _collect_phrases(classes, synonyms)
    templates = (templates, ) if isinstance(templates, str) else templates
    for template in templates:
        if template.count('{}') != 1:
            raise DataError(f'template {template!r}: needs {{}} once, where '
                            "the class goes, e.g. 'a photo of a {}'")
    if not templates:
        raise DataError("no template; give one, e.g. 'a photo of a {}'")
    sentences = {}
    if attributes is not None:
        if clusters is None:
            raise DataError(f'{attributes}: into how many clusters? Give '
                            'text_clusters')
        sentences = read_descriptions(attributes, list(phrases))
    prompts = {name: [template.replace('{}', phrase)
                      for template in templates for phrase in words]
               for name, words in [*phrases.items(),
                                   *((word, (word, )) for word in background)]}

    state = read_clip_state_dict(weights)
    encoder = build_text_encoder(state, weights).to(choose_device(device))
    vectors = _encode_prompts(encoder, list(dict.fromkeys(
        prompt for group in [*prompts.values(), *sentences.values()]
        for prompt in group)))
    embeddings = F.normalize(torch.stack([
        torch.stack([vectors[prompt] for prompt in group]).mean(dim=0)
        for group in prompts.values()
    ]), dim=-1)  # (C + background words, E)
    if clusters is not None and sentences:
        embeddings[:len(phrases)] = adopt_attributes(
            embeddings[:len(phrases)],
            [torch.stack([vectors[text] for text in group])
             for group in sentences.values()], clusters)
    write_npz(
        out_file,
        names=np.array(list(prompts)),
        embeddings=embeddings.numpy(),
        model=np.array(model_name or clip_model_name(state, weights)),
        prompt=np.array('; '.join(templates)))
    print_log(f'Wrote {out_file}: {len(prompts)} classes', 'current')
    return out_file


def _collect_phrases(
        classes: Classes,
        synonyms: Optional[Mapping[str, Sequence[str]]]) -> ClassPrompts:
    """Phrases of each class, from all the ways to name classes."""
    if isinstance(classes, str):
        phrases = get_class_prompts(classes)
    elif isinstance(classes, Mapping):
        phrases = {name: _as_words(words) for name, words in classes.items()}
    else:
        phrases = {name: (name, ) for name in classes}
        if len(phrases) != len(classes):
            twice = next(name for name in phrases
                         if list(classes).count(name) > 1)
            raise DataError(f'class {twice!r} is named twice; remove one')
    for name, words in (synonyms or {}).items():
        if name not in phrases:
            raise DataError('synonyms: ' +
                            unknown_name('class', name, phrases))
        phrases[name] = tuple(
            dict.fromkeys([*phrases[name], *_as_words(words)]))
    if not phrases:
        raise DataError('no classes; name at least one')
    for name, words in phrases.items():
        if not words or not all(word.strip() for word in words):
            raise DataError(f'class {name!r}: an empty phrase; give the words '
                            'that stand for it in a prompt')
    return phrases


def _as_words(words: Union[str, Sequence[str]]) -> Tuple[str, ...]:
    return (words, ) if isinstance(words, str) else tuple(words)


def _encode_prompts(encoder: CLIPTextEncoder, prompts: List[str],
                    batch_size: int = 256) -> Dict[str, Tensor]:
    """Unit-length embedding (E,) of each prompt."""
    # One place more than the model has, to see what would be cut off.
    tokens = tokenize(prompts, context_length=encoder.num_pos + 1)
    too_long = tokens[:, -1].nonzero()
    if len(too_long):
        raise DataError(f'prompt {prompts[int(too_long[0])]!r}: longer than '
                        f'the {encoder.num_pos} tokens CLIP reads; shorten it')
    tokens = tokens[:, :-1]
    vectors = []
    with warnings.catch_warnings():
        # mmcv warns that all attentions of a layer share the mask.
        warnings.simplefilter('ignore', UserWarning)
        for batch in tokens.split(batch_size):
            vectors.append(encoder.encode_text(batch, normalize=True).cpu())
    return dict(zip(prompts, torch.cat(vectors)))
