"""Parts of the methods on a frozen CLIP: small ones, and the parity files'."""
import json

import numpy as np
import torch
from shapes import write_config

from mmwsss.conversion import LAYOUTS
from mmwsss.models import CLIPViT, TokenFusion, TransformerHead
from mmwsss.models.key_names import rename

# Published names of what is trained -> ours.
DECODER_NAMES = LAYOUTS['weclip'].names


class CLIPFile(dict):
    """Arrays of a parity file as tensors, and what is built from them."""

    def __init__(self, path):
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        self.config = json.loads(str(arrays.pop('config')))
        super().__init__((key, torch.from_numpy(value))
                         for key, value in arrays.items())

    def weights(self, start):
        """Published weights whose names begin like this."""
        return {key[3:]: value.float() for key, value in self.items()
                if key.startswith('sd/' + start)}

    def vit(self, grid=None):
        """The encoder; its position embeddings on a grid of this side."""
        config = self.config
        vit = CLIPViT(
            arch=dict(embed_dims=config['width'],
                      num_layers=config['layers'], num_heads=config['heads'],
                      feedforward_channels=4 * config['width']),
            patch_size=config['patch_size'],
            img_size=config['patch_size'] * (grid or config['pretrain_grid']),
            out_channels=config['embed_dim'])
        vit.load_clip(self.weights('visual.'), 'the parity file')
        return vit

    def decoder(self, channels, levels, width, classes, heads, layers):
        """Fusion and head, without dropout."""
        parts = torch.nn.ModuleDict(dict(
            fusion=TokenFusion(channels, levels, width),
            decode_head=TransformerHead(
                in_channels=width, num_classes=classes, num_heads=heads,
                num_layers=layers)))
        parts.load_state_dict({rename(key, DECODER_NAMES): value for
                               key, value in self.weights('decoder').items()})
        return parts.eval()


def write_text(path, embeddings, classes, background=()):
    """A file of text embeddings; returns its path as a string."""
    np.savez(path, names=[*classes, *background],
             embeddings=np.asarray(embeddings, np.float32), model='test',
             prompt='{}')
    return str(path)


def text_classes(kind, path, classes, background, **kwargs):
    """A ``TextClasses`` over rows of text embeddings."""
    words = [f'word{i}' for i in range(len(background))]
    file = write_text(path, torch.cat([classes, background]),
                      [f'class{i}' for i in range(len(classes))], words)
    return kind(len(classes), file, words, **kwargs)


def small_vit(layers=4, **kwargs):
    """A CLIPViT with random weights, 32 channels."""
    kwargs = {**dict(
        arch=dict(embed_dims=32, num_layers=layers, num_heads=2,
                  feedforward_channels=64),
        img_size=32, patch_size=8, out_channels=12), **kwargs}
    vit = CLIPViT(**kwargs)
    generator = torch.Generator().manual_seed(0)
    for name, value in vit.named_parameters():
        noise = torch.randn(value.shape, generator=generator)
        value.data = (0.2 * noise + (
            value.dim() == 1 and name.endswith('weight'))).to(value.dtype)
    return vit


# The small CLIP of clip_files.py on the squares of shapes.py.
SHAPES_CLIP = """
_base_ = '{{root}}/configs/{name}.py'
data_root = {{data_root!r}}
pretrained = {pretrained!r}
text_embeddings = {text!r}
background_words = ['grass', 'sky']
shapes = dict(classes=('background', 'red', 'blue'),
              palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])
loader = dict(num_workers=0, persistent_workers=False)
dataset = dict(type='ImageLevelDataset', data_root=data_root, metainfo=shapes,
               ann_file='lists/train.txt',
               label_source=dict(type='TableLabels', file='labels.csv'))
train_dataloader = dict(batch_size=4, dataset=dict(dataset), **loader)
val_dataloader = dict(dataset=dict(dataset), **loader)
localize_workers = 0
refine_workers = 0
num_classes = 2
model = dict(
    num_classes=2,
    data_preprocessor=dict(size_divisor=8),
    backbone=dict(
        pretrained=pretrained, img_size=32, patch_size=8, out_channels=24,
        arch=dict(_delete_=True, embed_dims=128, num_layers=3, num_heads=2,
                  feedforward_channels=512)),
    class_evidence=dict(
        text_embeddings=text_embeddings, background=background_words,
        classes_of=None),
    spread=dict(layers=2))
"""

# For WeCLIP and ExCEL.
SHAPES_FROZEN = SHAPES_CLIP + """
train_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='mmseg.RandomCrop', crop_size=(48, 48)),
    dict(type='PackImageLevelInputs'),
]
train_dataloader['dataset']['pipeline'] = train_pipeline
val_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='Resize', scale=(48, 48), keep_ratio=False),
    dict(type='LoadMask'),
    dict(type='PackImageLevelInputs'),
]
val_dataloader['dataset']['pipeline'] = val_pipeline
test_dataloader = dict(
    dataset=dict(type='mmseg.BaseSegDataset', metainfo=shapes,
                 img_suffix='.jpg', data_root=data_root,
                 ann_file='lists/train.txt'), **loader)
model['data_preprocessor'] = dict(size=(48, 48))
model.update(
    fusion=dict(num_levels={levels}, channels=32),
    decode_head=dict(in_channels=32, num_layers=1, num_heads=2),
    radius=2, colour_rounds=2, refine_after=3)
model['spread']['selected_layers'] = 2
train_cfg = dict(max_iters=8, val_interval=8)
default_hooks = dict(checkpoint=dict(interval=4))
param_scheduler = [
    dict(type='PolyWarmupLR', warmup_iters=2, warmup_ratio=1e-6, power=1.0,
         by_epoch=False)]
"""

EXCEL = """
model.update(calibrate_after=4, predicted_after=6)
model['class_evidence']['num_layers'] = 2
tta_pipeline = [
    dict(type='LoadPhoto'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale=(side, side), keep_ratio=False)
         for side in (40, 48)],
        [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadMaskIfAny')],
        [dict(type='mmseg.PackSegInputs')],
    ]),
]
"""

SHAPES_OF = dict(clip_es_voc=SHAPES_CLIP, weclip_voc=SHAPES_FROZEN,
                 excel_voc=SHAPES_FROZEN + EXCEL)


def shapes_config(name, folder, shapes, pretrained):
    """A config of CLIP's methods on ``shapes``; returns its path."""
    text = write_text(folder / 'text.npz', np.random.default_rng(0).normal(
        size=(4, 24)), ['red', 'blue'], ['grass', 'sky'])
    template = SHAPES_OF[name].format(
        name=name, pretrained=pretrained, text=text,
        levels=2 if name == 'weclip_voc' else 3)
    return write_config(folder / f'{name}.py', template, shapes)
