"""IRN and PSA: parity with the published code, and what affinity is for."""
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from parity_files import close

from mmwsss.models import IRN, PSA
from mmwsss.models.losses import PairAffinityLoss
from mmwsss.ops import feature_affinity
from mmwsss.ops.pixel_pairs import pair_labels
from mmwsss.ops.random_walk import search_offsets
from mmwsss.problems import DataError
from mmwsss.registry import MODELS

PREPROCESSOR = dict(type='mmseg.SegDataPreProcessor')


def taps(**kwargs):
    """A tiny ViT with four taps."""
    vit = dict(type='TokenViT', img_size=64, patch_size=16,
               out_indices=(0, 1, 2, 3),
               arch=dict(embed_dims=32, num_layers=4, num_heads=2,
                         feedforward_channels=64))
    return dict(type='ViTTaps', vit=vit, detail_channels=16, **kwargs)


# Against the published code

def test_psa_pair_labels_parity(test_data):
    with np.load(test_data('parity', 'psa.npz')) as file:
        labels = torch.from_numpy(file['aff_label/label']).long()[None]
        for got, name in zip(pair_labels(labels, 5, 255),
                             ('bg_pos', 'fg_pos', 'neg')):
            want = file[f'aff_label/{name}']
            assert np.array_equal(got[0].flatten(1).numpy(), want != 0)


def test_published_weights_load_by_name(tmp_path):
    backbone = MODELS.build(dict(type='ResNetTaps'))
    state = {key: torch.full_like(value, 0.5) for key, value in
             backbone.state_dict().items()
             if not key.endswith('num_batches_tracked')}
    path = str(tmp_path / 'resnet50.pth')
    torch.save({**state, 'fc.weight': torch.zeros(2, 3)}, path)
    loaded = MODELS.build(dict(type='ResNetTaps', pretrained=path))
    loaded.init_weights()
    assert (loaded.layer4[2].conv3.weight == 0.5).all()
    state.pop('layer1.0.conv1.weight')
    torch.save(state, path)
    with pytest.raises(DataError, match='1 weights of the ResNetTaps are not '
                       'in it, e.g. layer1.0.conv1.weight'):
        loaded.init_weights()


# IRN

def test_irn_inference_parity(test_data, monkeypatch):
    with np.load(test_data('parity', 'irn.npz')) as file:
        arrays = {key: torch.from_numpy(file[key]) for key in file.files
                  if key.startswith('infer/')}
    height, width = arrays['infer/edge'].shape[-2:]
    model = IRN(taps(), PREPROCESSOR)
    monkeypatch.setattr(model, '_edge', lambda taps, size: (
        arrays['infer/edge_logit'][..., :height, :width]))
    edge = model.boundaries(
        torch.zeros(1, 3, *arrays['infer/img_size'].tolist()))
    close(edge, arrays['infer/edge'])


def test_irn_on_the_published_resnet():
    model = IRN(dict(type='ResNetTaps'), PREPROCESSOR).train()
    edge, displacement = model.relations(torch.rand(2, 3, 50, 71))
    assert edge.shape == (2, 1, 13, 18) and displacement.shape[1] == 2
    trained = {name.split('.')[0] for name, p in model.named_parameters()
               if p.requires_grad}
    assert 'backbone' not in trained and 'edge_out' in trained


def test_strides_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match='five taps.*ResNet38d'):
        IRN(dict(type='ResNet38d'), PREPROCESSOR)
    with pytest.raises(ValueError, match='multiples of 4.*10.6'):
        IRN(taps(input_scale=1.5), PREPROCESSOR)


def test_the_mean_displacement_is_taken_off_in_evaluation():
    model = IRN(taps(), PREPROCESSOR)
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        _, before = model.train().relations(image)
        model.displacement_mean += torch.tensor([1., -2.])
        _, same = model.relations(image)
        _, after = model.eval().relations(image)
    torch.testing.assert_close(before, same)
    torch.testing.assert_close(
        after, before - torch.tensor([1., -2.]).view(2, 1, 1))


def test_boundaries_are_those_of_both_mirror_images():
    model = IRN(taps(), PREPROCESSOR).eval()
    image = torch.rand(1, 3, 50, 71)
    with torch.no_grad():
        edge = model.boundaries(image)
        one, other = (model.relations(x)[0][:, 0]
                      for x in (image, image.flip(-1)))
    assert edge.shape == (1, 13, 18)
    torch.testing.assert_close(edge, ((one + other.flip(-1)) / 2).sigmoid())
    assert not torch.allclose(edge, one.sigmoid(), atol=1e-3)


def test_boundaries_have_no_say_when_skipped(monkeypatch):
    # A stripe one node wide between two boundaries two nodes wide.
    edge = torch.zeros(1, 12, 12)
    edge[:, :, 3:5] = edge[:, :, 6:8] = 0.9
    maps = torch.zeros(1, 1, 12, 12)
    maps[..., 3:8] = 1.
    kept = {}
    for skip in (False, True):
        model = IRN(taps(), PREPROCESSOR, test_cfg=dict(skip_edges=skip))
        monkeypatch.setattr(model, 'boundaries', lambda inputs: edge)
        walked = model.walk(None, maps)[0, 0]
        assert walked.max() == 1 and walked[:, :2].max() < 0.5
        kept[skip] = walked[:, 3:8].mean()
    assert kept[True] > 0.8 > 0.7 > kept[False]


# Both

def sample(image_labels=None, maps=None, labels=()):
    result = SegDataSample()
    if image_labels is not None:
        result.gt_sem_seg = PixelData(data=image_labels[None])
    if maps is not None:
        result.set_field(PixelData(data=maps,
                                   metainfo=dict(labels=list(labels))),
                         'seed_maps')
    return result


@pytest.fixture
def scene():
    """Two colours side by side: photo, their labels, a map of a part."""
    image = torch.zeros(3, 64, 96)
    image[0, :, 40:] = 2.
    image[1, :, :40] = 2.
    labels = torch.zeros(64, 96, dtype=torch.long)
    labels[:, 40:] = 7
    maps = torch.full((1, 64, 96), 0.1)
    maps[0, 16:48, 64:96] = 0.9
    return image, labels, maps


@pytest.mark.parametrize('kind, options', [
    (IRN, dict(loss=dict(radius=5),
               test_cfg=dict(radius=5, beta=8, exp_times=6))),
    (IRN, dict(loss=dict(radius=5),
               test_cfg=dict(radius=5, beta=8, exp_times=6, skip_edges=True,
                             scale=1.5))),
    (PSA, dict(widths=(32, 32, 32, 32, 32), loss=dict(radius=3),
               test_cfg=dict(radius=3, beta=8, exp_times=6)))])
def test_maps_spread_to_the_learned_boundary(scene, kind, options):
    torch.manual_seed(0)
    image, labels, maps = scene
    model = kind(taps(frozen=False), PREPROCESSOR, **options)
    model.init_weights()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(60):
        flip = step % 2 == 1
        inputs, target = (x.flip(-1) if flip else x for x in (image, labels))
        losses = model(inputs[None], [sample(target)], mode='loss')
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    model.eval()
    [result] = model(image[None], [sample(maps=maps, labels=[6])],
                     mode='predict')
    refined = result.pred_maps.data[0]
    assert result.pred_maps.labels == [6]
    assert refined.shape == labels.shape
    assert 0 <= refined.min() and refined.max() <= 1 + 1e-6
    won = refined > (refined.max() / 2 if kind is IRN else 0.5)
    overlap = (won & (labels == 7)).sum() / (won | (labels == 7)).sum()
    before = maps[0] > 0.5
    assert overlap > 0.85 > 0.45 > (before & (labels == 7)).sum() / (
        before | (labels == 7)).sum()


@pytest.mark.parametrize('kind', [IRN, PSA])
def test_images_of_a_batch_do_not_change_each_other(kind):
    torch.manual_seed(0)
    options = dict(widths=(8, 8)) if kind is PSA else {}
    model = kind(taps(), PREPROCESSOR, **options).eval()
    inputs = torch.rand(3, 3, 50, 61)
    maps = [torch.rand(count, 50, 61) for count in (2, 0, 1)]
    together = model.refine(inputs, maps)
    for i in (0, 1, 2):
        alone = model.refine(inputs[i:i + 1], maps[i:i + 1])[0]
        assert alone.shape == maps[i].shape
        torch.testing.assert_close(together[i], alone, rtol=1e-3, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize('kind', [IRN, PSA])
def test_to_predict_is_to_localize(kind):
    torch.manual_seed(0)
    options = dict(widths=(8, 8)) if kind is PSA else {}
    model = kind(taps(), PREPROCESSOR, **options).eval()
    inputs, maps = torch.rand(1, 3, 50, 61), torch.rand(2, 50, 61)
    found = []
    for mode in ('predict', 'localize'):
        [result] = model(inputs, [sample(maps=maps, labels=[3, 6])],
                         mode=mode)
        assert result.pred_maps.labels == [3, 6]
        found.append(result.pred_maps.data)
    assert torch.equal(*found) and found[0].shape == (2, 50, 61)
    with pytest.raises(ValueError, match="'tensor': use one of"):
        model(inputs, mode='tensor')


@pytest.mark.parametrize('value', [0, 5, 255])
def test_psa_loss_is_finite_without_pairs_of_a_kind(value):
    features = torch.randn(1, 8, 8, 12, requires_grad=True)
    losses = PairAffinityLoss(radius=4)(
        features, torch.full((1, 8, 12), value, dtype=torch.long))
    total = sum(losses.values())
    total.backward()
    assert total.isfinite() and features.grad.isfinite().all()


def test_affinity_outside_the_image_is_zero():
    affinity = feature_affinity(torch.zeros(1, 2, 3, 4), 5)
    for (dy, dx), pair in zip(search_offsets(5), affinity[0]):
        for y in range(3):
            for x in range(4):
                inside = y + dy < 3 and 0 <= x + dx < 4
                assert pair[y, x] == float(inside)
