"""The networks that published weights are for, built from a config."""
import copy
import math

from mmengine.config import Config
from torch import nn

from mmwsss.files.checkpoints import StateDict
from mmwsss.models import TokenViT
from mmwsss.models.backbones.timm_taps import timm_network
from mmwsss.problems import DataError
from mmwsss.registry import MODELS, forget_pretrained


def whole_model(cfg: Config, state: StateDict) -> nn.Module:
    """The model of a config.

    Args:
        cfg (Config): The config.
        state (dict): Not needed; every builder here is called alike.

    Returns:
        nn.Module: With random weights.
    """
    return _build(cfg.model)


def with_frozen_encoder(cfg: Config, state: StateDict) -> nn.Module:
    """The model of a config whose encoder is frozen, with its weights.

    Args:
        cfg (Config): The config; the files that it names have to be there.
        state (dict): Not needed; every builder here is called alike.

    Returns:
        nn.Module: Its decoder has random weights.

    Raises:
        DataError: If no weights of the encoder are named, or a file is
            missing.
    """
    if not cfg.model.backbone.get('pretrained'):
        raise DataError(
            f'{cfg.filename}: model.backbone.pretrained names no weights, and '
            'the published decoder stands on CLIP; give --cfg-options '
            'pretrained=PATH_OR_URL')
    model = MODELS.build(copy.deepcopy(cfg.model))
    model.backbone.init_weights()
    return model


def backbone(cfg: Config, state: StateDict) -> nn.Module:
    """The backbone of a config's model.

    Args:
        cfg (Config): The config.
        state (dict): Not needed; every builder here is called alike.

    Returns:
        nn.Module: With random weights.
    """
    return _build(cfg.model.backbone)


def plain_vit(cfg: Config, state: StateDict) -> nn.Module:
    """The ViT in a config's model, with one class token.

    Its grid of position embeddings is that of the weights: they are
    interpolated to the config's when they are loaded.

    Args:
        cfg (Config): Config whose model has a ViT as its backbone, or in it.
        state (dict): Weights under our names, of which ``pos_embed``
            (1, 1 + n * n, D) tells the grid.

    Returns:
        nn.Module: With random weights.

    Raises:
        DataError: If the backbone is no ViT.
    """
    vit = cfg.model.backbone
    vit = vit.get('vit', vit)
    kind = MODELS.get(vit.type)
    if kind is None or not issubclass(kind, TokenViT):
        raise DataError(f'{cfg.filename}: its backbone {vit.type} is no ViT')
    options = {key: vit[key] for key in ('arch', 'patch_size') if key in vit}
    embeddings = state.get('pos_embed')
    # Without a grid, the comparison with the network names what is missing.
    length = (embeddings.shape[1] if embeddings is not None and
              embeddings.ndim == 3 else 0)
    side = math.isqrt(max(1, length - 1))
    return TokenViT(img_size=side * options.get('patch_size', 16), **options)


def timm_classifier(cfg: Config, state: StateDict) -> nn.Module:
    """The whole network of timm's whose features a config's model taps.

    Args:
        cfg (Config): Config whose model has a ``TIMMTaps`` as its backbone.
        state (dict): Not needed; every builder here is called alike.

    Returns:
        nn.Module: With ImageNet's classifier and random weights.

    Raises:
        DataError: If the backbone is none of timm's.
    """
    options = cfg.model.backbone
    if options.type != 'TIMMTaps':
        raise DataError(f'{cfg.filename}: its backbone {options.type} is not '
                        "timm's (TIMMTaps)")
    return timm_network(options.model_name)


def _build(cfg: dict) -> nn.Module:
    cfg = copy.deepcopy(cfg)
    forget_pretrained(cfg)
    return MODELS.build(cfg)
