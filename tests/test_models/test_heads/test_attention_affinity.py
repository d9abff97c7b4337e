"""Affinity learned from self-attention (AFA)."""
import pytest
import torch
from toco_nets import sample, toco

from mmwsss.models import AttentionAffinityHead
from mmwsss.ops.cam_labels import refined_labels

GRID = (4, 6)
COUNT = GRID[0] * GRID[1]


@pytest.fixture
def head():
    torch.manual_seed(0)
    return AttentionAffinityHead(6, radius=2)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return toco(attention_affinity=dict(radius=2), crop_size=32,
                projection=dict(hidden_channels=16, out_channels=8))


@pytest.fixture
def batch():
    torch.manual_seed(1)
    return torch.randn(2, 3, 64, 96), [sample([0., 1, 0, 1], (64, 96)),
                                       sample([1., 0, 0, 0], (64, 96))]


def near(a, b, radius=2):
    """Whether two patches are near each other, the long way."""
    return max(abs(a // GRID[1] - b // GRID[1]),
               abs(a % GRID[1] - b % GRID[1])) <= radius


def test_affinity_is_symmetric_and_learns_from_every_head(head):
    attention = torch.randn(2, 6, COUNT, COUNT)
    affinity = head(attention)
    assert affinity.shape == (2, COUNT, COUNT)
    torch.testing.assert_close(affinity, affinity.transpose(1, 2))
    assert affinity.min() >= 0 and affinity.max() <= 1
    labels = torch.randint(0, 3, (2, *GRID))
    head.loss(affinity, labels).backward()
    assert (head.projection.weight.grad != 0).all()


def test_loss_is_the_mean_over_near_known_pairs(head):
    affinity = torch.rand(1, COUNT, COUNT)
    labels = torch.randint(0, 3, (1, *GRID))
    labels[0, 1, 2:4] = 255
    flat = labels.flatten().tolist()
    same, other = [], []
    for a in range(COUNT):
        for b in range(COUNT):
            if near(a, b) and 255 not in (flat[a], flat[b]):
                value = affinity[0, a, b].item()
                (same if flat[a] == flat[b] else other).append(value)
    want = (1 - sum(same) / (len(same) + 1) + sum(other) /
            (len(other) + 1)) / 2
    assert head.loss(affinity, labels).item() == pytest.approx(want, rel=1e-5)


def test_no_known_pair_is_a_half(head):
    labels = torch.full((1, *GRID), 255)
    assert head.loss(torch.rand(1, COUNT, COUNT), labels) == 0.5


def test_propagation_is_a_mean_over_near_patches(head):
    maps = torch.rand(1, 2, *GRID)
    affinity = torch.rand(1, COUNT, COUNT)
    affinity = (affinity + affinity.transpose(1, 2)) / 2
    got = head.propagate(maps, affinity).flatten(2)
    for a in range(COUNT):
        others = [b for b in range(COUNT) if near(a, b)]
        weights = affinity[0, a, others]**2
        want = (maps.flatten(2)[0][:, others] * weights).sum(1)
        torch.testing.assert_close(got[0, :, a], want / weights.sum())


def test_unlike_patches_keep_their_values(head):
    """Two halves without affinity between them, and a patch without any."""
    side = torch.arange(COUNT) % GRID[1] < 3
    affinity = (side[:, None] == side).float()[None]
    maps = torch.rand(1, 1, *GRID) + 5 * side.view(1, 1, *GRID)
    spread = head.propagate(maps, affinity).flatten()
    assert spread[side].min() > 5 and spread[~side].max() < 1.1
    alone = head.propagate(maps, torch.zeros_like(affinity))
    assert alone.isfinite().all()


def test_recorded_attention_is_the_networks(network, batch):
    vit = network.backbone
    seen = []

    def record(module, args, output):
        seen.append((args[0], output))

    handle = vit.layers[-1].attn.register_forward_hook(record)
    with vit.recorded_attention(2) as logits, torch.no_grad():
        vit(batch[0])
    handle.remove()
    assert len(logits) == 2
    [(tokens, output)] = seen
    attn = vit.layers[-1].attn
    with torch.no_grad():
        value = attn.qkv(tokens).chunk(3, dim=-1)[2].unflatten(
            -1, (attn.num_heads, -1)).transpose(1, 2)
        mixed = logits[-1].softmax(-1) @ value
        want = attn.proj(mixed.transpose(1, 2).flatten(2))
    torch.testing.assert_close(output, want, rtol=1e-4, atol=1e-5)
    # Nothing stays behind.
    network.encode(batch[0])
    assert len(logits) == 2


def test_affinity_is_of_the_patches(network, batch):
    with torch.no_grad():
        with network.backbone.recorded_attention(2) as logits:
            network.encode(batch[0])
        _, affinity = network.encode_with_affinity(batch[0])
        # The class token comes first.
        want = network.attention_affinity(
            torch.cat(logits, dim=1)[..., 1:, 1:])
    torch.testing.assert_close(affinity, want)


def test_the_image_trains_it_through_the_attention(network, batch):
    losses = network(*batch, mode='loss')
    losses['loss_affinity'].backward()
    assert network.attention_affinity.projection.weight.grad.abs().sum() > 0
    last = network.backbone.layers[-1].attn.qkv.weight.grad
    assert last is not None and last.abs().sum() > 0
    assert network.classifier.weight.grad is None


def test_labels_are_propagated_after_the_warmup(batch, monkeypatch):
    torch.manual_seed(0)
    network = toco(attention_affinity=dict(warmup=2),
                   loss_weights=dict(ptc=0, ctc=0))
    calls = []
    monkeypatch.setattr(
        'mmwsss.models.segmentors.toco.refined_labels',
        lambda *args, **kwargs: calls.append('spread' in kwargs)
        or refined_labels(*args, **kwargs))
    for _ in range(3):
        network(*batch, mode='loss')
    assert calls == [False, False, False, True]
    # A resumed run goes on counting.
    assert network.state_dict()['affinity_steps'] == 3
    network.loss_weights['affinity'] = 0
    assert 'loss_affinity' not in network(*batch, mode='loss')
    assert calls[4:] == [False]


def test_propagated_maps_and_masks(network, batch):
    images, samples = batch
    network.eval()
    with torch.no_grad():
        _, affinity = network.encode_with_affinity(images)
    maps = dict()
    for kind in ('cam', 'affinity'):
        network.test_cfg['maps'] = kind
        maps[kind] = network.localize(images, samples)
    grid = (4, 6)
    for plain, spread, weights in zip(maps['cam'], maps['affinity'],
                                      affinity):
        want = network.attention_affinity.spread(plain[None], weights[None],
                                                 grid)[0]
        want = want - want.amin((1, 2), keepdim=True)
        want = want / want.amax((1, 2), keepdim=True)
        torch.testing.assert_close(spread, want)
        assert (spread - plain).abs().max() > 0.01
    for one in samples:
        one.set_metainfo(dict(ori_shape=(64, 96), img_shape=(64, 96)))
    for one in network.predict(images, samples):
        assert one.pred_affinity_cam.data.shape == (1, 64, 96)


@pytest.mark.parametrize('options, message', [
    (dict(loss_weights=dict(affinity=0.1)), r"unknown \['affinity'"),
    (dict(test_cfg=dict(maps='affinity')), 'test_cfg.maps'),
    (dict(attention_affinity=dict(num_layers=0)), 'num_layers=0.*4 layers'),
    (dict(attention_affinity=dict(num_layers=5)), 'num_layers=5.*4 layers')])
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        toco(**options)
