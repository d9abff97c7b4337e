"""CLIP's weights, from files in any layout."""
import pytest
import torch
from clip_files import hugging_face, mmseg, open_clip, openai

from mmwsss.models.clip_weights import (
    clip_model_name,
    clip_vit_size,
    count_layers,
    image_encoder_weights,
    read_clip_state_dict,
)
from mmwsss.problems import DataError


@pytest.mark.parametrize('layout', [openai, open_clip, mmseg, hugging_face])
def test_other_layouts_give_the_same(clip, tmp_path, layout):
    path, state = tmp_path / 'other.pth', clip.state_dict()
    torch.save(layout(state), path)
    got = read_clip_state_dict(path)
    for key, value in state.items():
        if key != 'logit_scale' and not (layout is mmseg and
                                         key.startswith('visual.')):
            assert torch.equal(got[key], value), key


def test_half_precision_becomes_single(clip, tmp_path):
    path = tmp_path / 'half.pth'
    torch.save({key: value.half() for key, value in
                clip.state_dict().items()}, path)
    assert {value.dtype for value in read_clip_state_dict(path).values()} == {
        torch.float32}


def test_the_size_of_an_encoder(clip, weights):
    size = clip_vit_size(read_clip_state_dict(weights), weights)
    assert size.arch == dict(embed_dims=128, num_layers=3, num_heads=2,
                             feedforward_channels=512)
    assert (size.image_size, size.patch_size, size.out_channels) == (32, 8,
                                                                     24)


def changed(clip, **values):
    state = clip.state_dict()
    for key, value in values.items():
        key = key.replace('__', '.')
        state.pop(key, None)
        if value is not None:
            state[key] = value
    return state


@pytest.mark.parametrize('values, message', [
    (dict(visual__layer1__0=torch.zeros(1)), 'a ResNet; use .*ViT-B/16'),
    (dict(visual__proj=None), 'visual.proj is missing'),
    (dict(visual__conv1__weight=torch.zeros(4, 4)), 'conv1.weight has shape'),
    (dict(visual__positional_embedding=torch.zeros(16, 128)),
     '16 position embeddings is not a CLIP ViT')])
def test_weights_of_something_else_are_named(clip, values, message):
    with pytest.raises(DataError, match=f'^weights x.pth: .*{message}'
                       ) as info:
        clip_vit_size(changed(clip, **values), 'x.pth')
    assert '\n' not in str(info.value)


def test_names_of_the_image_encoder(clip):
    found = image_encoder_weights(clip.state_dict(), 'x.pth')
    assert found['pos_embed'].shape == (1, 17, 128)
    assert found['cls_token'].shape == (1, 1, 128)
    assert len(found) == len(clip.visual.state_dict())
    with pytest.raises(DataError, match='not the image encoder'):
        image_encoder_weights({'token_embedding.weight': torch.zeros(2, 2)},
                              'x.pth')


def test_a_model_has_a_name(clip):
    assert clip_model_name(clip.state_dict(), 'a/b.pth') == (
        'CLIP ViT-128/8@32px')
    assert clip_model_name({}, 'a/b.pth') == 'CLIP (b.pth)'


def test_layers_are_counted(clip):
    assert count_layers(clip.state_dict(), 'transformer.resblocks') == 2
    assert count_layers(clip.state_dict(),
                        'visual.transformer.resblocks') == 3
