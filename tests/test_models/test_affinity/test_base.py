"""What IRN and PSA share: they learn where maps may spread."""
import pytest
import torch
from affinity_nets import PREPROCESSOR, sample, taps

from mmwsss.models import IRN, PSA


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
