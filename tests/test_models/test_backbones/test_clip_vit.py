"""CLIP's image encoder: against the published one, frozen, of any size."""
import os

import pytest
import torch
from clip_files import hugging_face, open_clip, openai
from clip_nets import CLIPFile, small_vit
from parity_files import close

from mmwsss.files.checkpoints import cached_path
from mmwsss.models import CLIPViT
from mmwsss.models.backbones.token_vit import head_weights
from mmwsss.problems import DataError


@pytest.fixture(scope='module')
def file(test_data):
    return CLIPFile(test_data('parity', 'clip_visual.npz'))


@pytest.mark.parametrize('size', 'ab')
def test_encoder_parity(file, size):
    vit, images = file.vit(), file[f'{size}/image']
    layers = file.config['layers']
    found = vit.encode(images, attention_layers=layers)
    assert len(found.tokens) == layers + 1
    # The published position embeddings are rounded to half precision.
    for got, want in zip(found.tokens[1:], file[f'{size}/tokens'],
                         strict=True):
        close(got.transpose(0, 1), want, 2e-4)
    for got, want in zip(found.attention, file[f'{size}/attn'], strict=True):
        close(got, want[:, 1:, 1:], 2e-4)
    last = found.tokens[-1]
    close(vit.ln1(last), file[f'{size}/ln_post'], 2e-4)
    projected = vit.project(last)
    close(projected[:, 0], file[f'{size}/embed_cls'], 2e-4)
    close(projected[:, 1:].mean(1), file[f'{size}/embed_patchmean'], 2e-4)
    # Without the rounding.
    close(last.transpose(0, 1), file[f'{size}/tokens_last_f32pos'])


@pytest.mark.parametrize('size', 'ab')
def test_position_embeddings_parity(file, size):
    """To half a step of half precision of each value."""
    vit = file.vit()
    seen = []
    handle = vit.pre_norm.register_forward_pre_hook(
        lambda module, args: seen.append(args[0]))
    images = file[f'{size}/image']
    vit.encode(images[:1], num_layers=0)
    handle.remove()
    patches, _ = vit.patch_embed(images[:1])
    tokens = torch.cat([vit.cls_token, patches], dim=1)
    close((seen[0] - tokens)[0], file[f'{size}/pos_embed_resized'], 5e-4)


def test_position_embeddings_resized_once_more_parity(test_data):
    """ExCEL's, brought to the grid of the crops when they are loaded."""
    file = CLIPFile(test_data('parity', 'excel_maps.npz'))
    vit = file.vit(file.config['img_size'] // file.config['patch_size'])
    close(vit.pos_embed[0], file['pos_embed_after_reload'])


def test_it_is_frozen_in_training_mode_too():
    vit = small_vit().train()
    assert not any(module.training for module in vit.modules())
    assert not any(p.requires_grad for p in vit.parameters())
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: kept.append(tensor) or tensor, lambda kept: kept):
        images = torch.rand(1, 3, 32, 32, requires_grad=True)
        found = vit.encode(images, attention_layers=4, halfway_layers=4)
    assert not kept
    assert not any(tensor.requires_grad for tensor in
                   [*found.tokens, *found.attention, *found.halfway])


def test_projection_lets_gradients_through():
    vit = small_vit()
    tokens = torch.rand(1, 5, 32, requires_grad=True)
    vit.project(tokens).sum().backward()
    assert tokens.grad.abs().sum() > 0


@pytest.mark.parametrize('size', [(32, 32), (24, 56), (8, 8), (43, 70)])
def test_images_of_any_size(size):
    vit = small_vit()
    grid = tuple(-(-side // 8) for side in size)  # padded to whole patches
    found = vit.encode(torch.rand(2, 3, *size), attention_layers=2)
    assert found.grid == grid
    count = grid[0] * grid[1]
    assert {t.shape for t in found.tokens} == {(2, 1 + count, 32)}
    assert {a.shape for a in found.attention} == {(2, count, count)}
    assert found.patch_map(-1).shape == (2, 32, *grid)
    image = torch.rand(1, 3, *size)
    torch.testing.assert_close(vit(image)[0],
                               vit.encode(image).patch_map(-1))


@pytest.mark.parametrize('count', [0, 1, 3])
def test_some_layers_alone(count):
    vit, images = small_vit(), torch.rand(1, 3, 32, 40)
    every = vit.encode(images)
    some = vit.encode(images, count)
    assert len(some.tokens) == count + 1
    for got, want in zip(some.tokens, every.tokens):
        torch.testing.assert_close(got, want)


@pytest.mark.parametrize('attention, halfway', [(0, 0), (1, 3), (4, 2)])
def test_what_is_kept_changes_no_token(attention, halfway):
    """And is that of the last layers, whichever way they are computed."""
    vit, images = small_vit(), torch.rand(2, 3, 32, 48)
    plain = vit.encode(images)
    found = vit.encode(images, None, attention, halfway)
    for got, want in zip(found.tokens, plain.tokens):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)
    assert (len(found.attention), len(found.halfway)) == (attention, halfway)
    for back in range(1, attention + 1):
        layer = vit.layers[-back]
        query, key, _ = layer.attn.qkv(layer.ln1(
            plain.tokens[-back - 1])).unflatten(-1, (3, 2, 16)).permute(
                2, 0, 3, 1, 4)
        want = head_weights(query, key).mean(1)[:, 1:, 1:]
        torch.testing.assert_close(found.attention[-back], want, rtol=1e-4,
                                   atol=1e-6)
    for back in range(1, halfway + 1):
        layer, middle = vit.layers[-back], found.halfway[-back]
        torch.testing.assert_close(
            layer.ffn(layer.ln2(middle), identity=middle),
            plain.tokens[-back], rtol=1e-4, atol=1e-5)


def test_one_heads_attention_exists_at_a_time(monkeypatch):
    shapes = []

    def spy(query, key):
        shapes.append((query.shape[:-2], key.shape[:-2]))
        return head_weights(query, key)

    monkeypatch.setattr('mmwsss.models.backbones.token_vit.head_weights', spy)
    small_vit().encode(torch.rand(3, 3, 32, 32), attention_layers=4)
    assert shapes == [((3, ), (3, ))] * 8  # 4 layers of 2 heads


def test_images_do_not_depend_on_their_companions():
    vit, images = small_vit(), torch.rand(3, 3, 32, 32)
    together = vit.encode(images, attention_layers=1)
    alone = vit.encode(images[1:2], attention_layers=1)
    torch.testing.assert_close(together.tokens[-1][1:2], alone.tokens[-1])
    torch.testing.assert_close(together.attention[0][1:2],
                               alone.attention[0])


def test_half_precision_is_close():
    images = torch.randn(2, 3, 32, 48)
    want = small_vit().encode(images, attention_layers=2)
    vit = small_vit(half=True)
    assert {p.dtype for p in vit.parameters()} == {torch.float16}
    got = vit.encode(images, attention_layers=2, halfway_layers=2)
    for one, other in ((got.tokens[-1], want.tokens[-1]),
                       (got.attention[-1], want.attention[-1]),
                       (vit.project(got.tokens[-1]),
                        small_vit().project(want.tokens[-1]))):
        assert one.dtype == torch.float32
        close(one, other, 1e-2)
    assert got.halfway[0].dtype == torch.float32


def test_activation_is_quick_gelu_or_gelu():
    images = torch.randn(1, 3, 32, 32)
    quick, exact = (small_vit(activation=name).encode(images).tokens[-1]
                    for name in ('QuickGELU', 'GELU'))
    assert 1e-6 < (quick - exact).abs().max() < 0.5


# That of the small CLIP in clip_files.py.
PLAIN = dict(arch=dict(embed_dims=128, num_layers=3, num_heads=2,
                       feedforward_channels=512),
             img_size=32, patch_size=8, out_channels=24)


def loaded(path):
    vit = CLIPViT(pretrained=str(path), **PLAIN)
    vit.init_weights()
    return vit


@torch.no_grad()
def test_it_computes_what_a_plain_clip_does(clip, weights):
    images = torch.randn(2, 3, 32, 32)
    vit = loaded(weights)
    got = vit.project(vit.encode(images).tokens[-1])[:, 0]
    close(got, clip.visual(images))


@pytest.mark.parametrize('layout', [openai, open_clip, hugging_face])
@pytest.mark.parametrize('source', ['path', 'url'])
def test_weights_of_every_layout(clip, tmp_path, layout, source,
                                 monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    url = 'https://example.org/weights.bin'
    path = dict(path=str(tmp_path / 'weights.bin'),
                url=cached_path(url))[source]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.save(layout(clip.state_dict()), path)
    vit = loaded(path if source == 'path' else url)
    assert torch.equal(vit.proj, clip.visual.proj)
    images = torch.randn(1, 3, 32, 32)
    close(vit.project(vit.encode(images).tokens[-1])[:, 0],
          clip.visual(images).detach())


def test_position_embeddings_of_another_grid(clip, weights):
    vit = CLIPViT(pretrained=weights, **dict(PLAIN, img_size=48))
    vit.init_weights()
    assert vit.pos_embed.shape == (1, 37, 128)
    assert torch.equal(vit.pos_embed[0, 0],
                       clip.visual.positional_embedding[0])


@pytest.mark.parametrize('option, message', [
    (dict(out_channels=13), r'proj of the image encoder is \(128, 24\)'),
    (dict(patch_size=16), 'patch_embed.projection.weight'),
    (dict(arch=dict(PLAIN['arch'], num_layers=4)), 'layers.3.* is missing'),
    (dict(arch=dict(PLAIN['arch'], embed_dims=64)), 'cls_token')])
def test_weights_of_another_size_are_refused(weights, option, message):
    vit = CLIPViT(pretrained=weights, **dict(PLAIN, **option))
    with pytest.raises(DataError, match=message) as info:
        vit.init_weights()
    assert weights in str(info.value) and '\n' not in str(info.value)


def test_a_program_is_refused_with_the_remedy(tmp_path):
    path = str(tmp_path / 'ViT-B-16.pt')
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    with pytest.raises(DataError, match=r'torch.save\(torch.jit.load\('
                       ) as info:
        loaded(path)
    assert 'ViT-B-16_state_dict.pth' in str(info.value)
    assert '\n' not in str(info.value)
