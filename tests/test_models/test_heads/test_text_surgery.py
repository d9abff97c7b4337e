"""ExCEL's second path, its maps and what its decoder sees."""
import pytest
import torch
from clip_nets import CLIPFile, small_vit, text_classes
from parity_files import close

from mmwsss.models import FeatureAffinity, TextSurgery
from mmwsss.ops import min_max


@pytest.fixture(scope='module')
def file(test_data):
    return CLIPFile(test_data('parity', 'excel_maps.npz'))


@pytest.fixture
def evidence(file, tmp_path):
    text = file['tse/text_out'].t()
    classes = file.config['num_classes_with_bg'] - 1
    return text_classes(TextSurgery, tmp_path / 'text.npz', text[:classes],
                        text[classes:], num_layers=file.config['svc_layers'])


@pytest.fixture
def vit(file):
    return file.vit(file.config['img_size'] // file.config['patch_size'])


def test_network_path_parity(file, vit):
    layers, second = file.config['layers'], file.config['svc_layers']
    found = vit.encode(file['image'], None, layers, second)
    single = file['svc/block_out_single']
    for got, want in zip(found.tokens[1:], [*single,
                                            *file['svc/block_out_ori']],
                         strict=True):
        close(got, want)
    for index, want in enumerate(file['svc/ori_residual']):
        before = found.tokens[layers - second + index]
        close(found.halfway[index] - before, want)


def test_second_path_parity(file, vit, evidence, monkeypatch):
    """After each of its layers, and what its attention adds."""
    added = []

    def spy(*args):
        added.append(real(*args))
        return added[-1]

    from mmwsss.models.heads import text_surgery
    real = text_surgery.attention_branch
    monkeypatch.setattr(text_surgery, 'attention_branch', spy)
    features = evidence.encode(vit, file['image'])
    path = features.tokens[len(vit.layers) - len(added)]
    for got, residual, want in zip(added, file['svc/svc_residual'],
                                   file['svc/block_out_svc'], strict=True):
        path = path + got
        close(got, residual)
        close(path, want)
    close(features.calibrated[:, 1:], path[:, 1:])
    projected = vit.project(features.calibrated)
    close(projected, file['svc/tokens'])
    close(projected / projected.norm(dim=1, keepdim=True),
          file['svc/tokens_norm'])


def test_attention_parity(file, vit, evidence):
    """Summed over the heads where there is a second path."""
    features = evidence.encode(vit, file['image'], file.config['layers'])
    for got, want in zip(features.attention, file['svc/attn'], strict=True):
        close(got, want[..., 1:, 1:])


def test_maps_parity(file, vit, evidence):
    features = evidence.encode(vit, file['image'])
    maps, _ = evidence(vit, features)
    close(maps.flatten(2).transpose(1, 2), file['surgery/maps'])
    every = min_max(evidence.evidence(vit, features.calibrated).transpose(
        1, 2)[..., None])[..., 0].transpose(1, 2)
    close(every, file['surgery/map_all_text_with_cls'])
    # An image of another size.
    maps, _ = evidence(vit, evidence.encode(vit, file['image2']))
    close(maps.flatten(2).transpose(1, 2), file['image2_out/maps'])


def test_maps_calibrated_by_the_decoder_parity(file, vit, evidence):
    config = file.config
    features = evidence.encode(vit, file['image'])
    affinity = FeatureAffinity(normalize=True, gain=config['lvc_gamma'],
                               across_batch=True)
    prior = affinity.attention(file['seg/fuse_feats'])
    projected = vit.project(evidence.calibrated(vit, features, prior))
    close(projected / projected.norm(dim=1, keepdim=True),
          file['lvc/tokens_norm'])
    maps, _ = evidence(vit, features, prior=prior)
    close(maps.flatten(2).transpose(1, 2), file['lvc/maps'])


def decoder(file):
    config = file.config
    return file.decoder(config['width'], config['layers'],
                        config['decoder_dim'], config['num_classes_with_bg'],
                        config['decoder_heads'], config['decoder_layers'])


@torch.no_grad()
def test_what_the_decoder_sees_parity(file, vit, evidence):
    """Levels, fused features and logits, of both sizes."""
    features = evidence.encode(vit, file['image'])
    levels = evidence.levels(features)
    start = len(levels) - len(file['svc/decoder_feats_aliased'])
    for got, want in zip(levels, [*file['svc/block_out_single'][:start],
                                  *file['svc/decoder_feats_aliased']],
                         strict=True):
        close(got[:, 1:], want[:, 1:])
    parts = decoder(file)
    fused = parts['fusion'](levels, features.grid)
    close(fused, file['seg/fuse_feats'])
    close(parts['decode_head']([fused]), file['seg/logits'])
    features = evidence.encode(vit, file['image2'])
    fused = parts['fusion'](evidence.levels(features), features.grid)
    close(parts['decode_head']([fused]), file['image2_out/logits'])


@pytest.fixture
def small(tmp_path):
    return small_vit(), text_classes(
        TextSurgery, tmp_path / 'text.npz', torch.randn(4, 12),
        torch.randn(3, 12), num_layers=2)


@pytest.mark.parametrize('size', [(32, 32), (24, 56), (8, 40)])
def test_maps_of_images_of_any_size(small, size):
    vit, evidence = small
    features = evidence.encode(vit, torch.randn(2, 3, *size), 3)
    maps, attention = evidence(vit, features)
    assert maps.shape == (2, 4, size[0] // 8, size[1] // 8)
    assert maps.min() >= 0 and maps.max() <= 1
    assert len(attention) == 3
    heads = vit.layers[-1].attn.num_heads
    for one, most in zip(attention, (1, heads, heads)):
        assert 0.5 < (one.sum(-1) / most).max() <= 1


def test_images_do_not_depend_on_their_companions(small):
    vit, evidence = small
    images = torch.randn(3, 3, 32, 40)
    affinity = FeatureAffinity(normalize=True, gain=3.)
    prior = affinity.attention(torch.randn(3, 6, 4, 5))
    together = evidence.encode(vit, images, 2)
    for i in range(3):
        alone = evidence.encode(vit, images[i:i + 1], 2)
        for options, own in (({}, {}), (dict(prior=prior),
                                        dict(prior=prior[i:i + 1]))):
            got, _ = evidence(vit, together, **options)
            want, _ = evidence(vit, alone, **own)
            torch.testing.assert_close(got[i:i + 1], want, rtol=1e-3,
                                       atol=1e-4)


def test_labels_do_not_change_the_maps(small):
    vit, evidence = small
    features = evidence.encode(vit, torch.randn(2, 3, 32, 32))
    with_labels, _ = evidence(vit, features, torch.zeros(2, 4))
    close(with_labels, evidence(vit, features)[0])


def test_calibration_changes_neither_tokens_nor_attention(small):
    vit, evidence = small
    features = evidence.encode(vit, torch.randn(1, 3, 32, 32), 2)
    before = [t.clone() for t in (*features.tokens, *features.attention,
                                  features.calibrated)]
    evidence(vit, features, prior=torch.rand(1, 16, 16))
    evidence(vit, features)
    for one, other in zip((*features.tokens, *features.attention,
                           features.calibrated), before):
        assert torch.equal(one, other)


def test_scores_are_those_of_the_class_token(small):
    vit, evidence = small
    features = evidence.encode(vit, torch.randn(2, 3, 32, 32))
    token = vit.project(features.tokens[-1][:, 0])
    close(evidence.classify(vit, features),
          evidence.probabilities(token, 100.))


def test_half_precision_is_close(small):
    images = torch.randn(2, 3, 32, 40)
    vit, evidence = small
    want, _ = evidence(vit, evidence.encode(vit, images, 2))
    half = small_vit(half=True)
    got, attention = evidence(half, evidence.encode(half, images, 2))
    assert got.dtype == attention[0].dtype == torch.float32
    assert (got - want).abs().mean() < 0.02
