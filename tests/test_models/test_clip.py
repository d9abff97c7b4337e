"""CLIP's encoders, from weights in any layout."""
import torch

from mmwsss.models.clip import build_image_encoder, build_text_encoder
from mmwsss.models.clip_weights import read_clip_state_dict


def test_other_layouts_give_the_same(clip, weights, tmp_path):
    state = clip.state_dict()
    mmseg, hugging_face = {}, {}
    for key, value in state.items():
        if not key.startswith('visual.'):
            name = key.replace('transformer.resblocks.', 'transformer.')
            for old, new in (('.attn.', '.attentions.0.attn.'),
                             ('.ln_1.', '.norms.0.'), ('.ln_2.', '.norms.1.'),
                             ('.mlp.c_fc.', '.ffns.0.layers.0.0.'),
                             ('.mlp.c_proj.', '.ffns.0.layers.1.')):
                name = name.replace(old, new)
            mmseg[f'text_encoder.{name}'] = value
        part = 'vision_model' if 'visual' in key else 'text_model'
        name = key.replace('visual.', '').replace(
            'transformer.resblocks.', 'encoder.layers.')
        for old, new in (
                ('attn.out_proj', 'self_attn.out_proj'),
                ('ln_1', 'layer_norm1'), ('ln_2', 'layer_norm2'),
                ('mlp.c_fc', 'mlp.fc1'), ('mlp.c_proj', 'mlp.fc2'),
                ('token_embedding', 'embeddings.token_embedding'),
                ('class_embedding', 'embeddings.class_embedding'),
                ('positional_embedding',
                 'embeddings.position_embedding.weight'),
                ('conv1', 'embeddings.patch_embedding'),
                ('ln_pre', 'pre_layrnorm'), ('ln_post', 'post_layernorm'),
                ('ln_final', 'final_layer_norm')):
            name = name.replace(old, new)
        if key == 'text_projection':
            hugging_face['text_projection.weight'] = value.t()
        elif key == 'visual.proj':
            hugging_face['visual_projection.weight'] = value.t()
        elif 'in_proj' in key:
            kind = key.rsplit('_', 1)[1]
            base = name[:name.index('attn.in_proj')]
            for letter, third in zip('qkv', value.chunk(3)):
                hugging_face[f'{part}.{base}self_attn.{letter}_proj.{kind}'
                             ] = third.clone()
        else:
            hugging_face[f'{part}.{name}'] = value
    expected = read_clip_state_dict(weights)
    for layout in (mmseg, hugging_face):
        path = tmp_path / 'other.pth'
        torch.save({'state_dict': layout}, path)
        got = read_clip_state_dict(path)
        keys = [key for key in state if layout is hugging_face
                or not key.startswith('visual.')]
        for key in keys:
            if key != 'logit_scale':
                assert torch.equal(got[key], expected[key]), key
        build_text_encoder(got, path)
    build_image_encoder(got, path)
