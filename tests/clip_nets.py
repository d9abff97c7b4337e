"""Parts of the methods on a frozen CLIP: small ones, and the parity files'."""
import json

import numpy as np
import torch

from mmwsss.models import CLIPViT, TokenFusion, TransformerHead
from mmwsss.models.key_names import NameTable, rename

# Published names of what is trained -> ours.
DECODER_NAMES: NameTable = (
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
