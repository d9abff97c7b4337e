"""AFA: affinity from attention, in the network and in the training."""
import json

import pytest
import torch
from shapes import SHAPES_TOCO, train_losses, write_config
from single_stage_nets import afa, sample

from mmwsss.apis import best_checkpoint, generate_pseudo_labels, load_config
from mmwsss.ops.cam_labels import refined_labels


@pytest.fixture
def network():
    torch.manual_seed(0)
    return afa(attention_affinity=dict(radius=2))


@pytest.fixture
def batch():
    torch.manual_seed(1)
    return torch.randn(2, 3, 64, 96), [sample([0., 1, 0, 1], (64, 96)),
                                       sample([1., 0, 0, 0], (64, 96))]


def test_it_has_no_part_that_only_toco_has(network, batch):
    assert {name.split('.')[0] for name in network.state_dict()} == {
        'backbone', 'classifier', 'aux_classifier', 'decode_head',
        'attention_affinity', 'affinity_steps'}
    assert set(network.loss_weights) == {'cls', 'aux', 'seg', 'energy',
                                         'affinity'}
    losses = network(*batch, mode='loss')
    assert set(losses) == {f'loss_{name}' for name in network.loss_weights}
    sum(losses.values()).backward()
    untaught = [name for name, p in network.named_parameters()
                if p.requires_grad and p.grad is None]
    assert not untaught


def test_attention_is_recorded_where_it_is_wanted(network, batch,
                                                  monkeypatch):
    calls = []
    real = network.attention_affinity.forward
    monkeypatch.setattr(network.attention_affinity, 'forward',
                        lambda x: calls.append(1) or real(x))
    images, samples = batch
    network.localize(images, samples)
    assert not calls
    network.test_cfg['maps'] = 'affinity'
    network.localize(images, samples)
    network(images, samples, mode='predict')
    assert len(calls) == 2
    for one in samples:
        del one.gt_label
    network(images, samples, mode='predict')
    assert len(calls) == 2


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
        found = network.encode_image(batch[0], ('cam', 'affinity'))
        # The class token comes first.
        want = network.attention_affinity(
            torch.cat(logits, dim=1)[..., 1:, 1:])
    torch.testing.assert_close(found.affinity, want)


def test_the_image_trains_it_through_the_attention(network, batch):
    losses = network(*batch, mode='loss')
    losses['loss_affinity'].backward()
    assert network.attention_affinity.projection.weight.grad.abs().sum() > 0
    last = network.backbone.layers[-1].attn.qkv.weight.grad
    assert last is not None and last.abs().sum() > 0
    assert network.classifier.weight.grad is None


def test_labels_are_propagated_after_the_warmup(batch, monkeypatch):
    torch.manual_seed(0)
    network = afa(attention_affinity=dict(warmup=2))
    calls = []
    monkeypatch.setattr(
        'mmwsss.models.segmentors.single_stage.refined_labels',
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
        affinity = network.encode_image(images, ('affinity', )).affinity
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
    for one in network.predict(images, samples):
        assert one.pred_affinity_cam.data.shape == (1, 64, 96)


@pytest.mark.parametrize('options, message', [
    (dict(loss_weights=dict(ptc=0.)), r"unknown \['ptc'\]"),
    (dict(test_cfg=dict(maps='seg')), "'cam', 'aux', 'affinity'"),
    (dict(attention_affinity=dict(num_layers=0)), 'num_layers=0.*4 layers'),
    (dict(attention_affinity=dict(num_layers=5)), 'num_layers=5.*4 layers')])
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        afa(**options)


SHAPES_AFA = SHAPES_TOCO
for old, new in (('toco_deit-tiny', 'afa_deit-tiny'),
                 ('num_classes=2, crop_size=16,',
                  'num_classes=2, attention_affinity=dict(warmup=5),'),
                 (""",
    projection=dict(hidden_channels=16, out_channels=8))""", ')'),
                 ('energy=0.05)', 'affinity=0.1)')):
    assert old in SHAPES_AFA
    SHAPES_AFA = SHAPES_AFA.replace(old, new)


def test_affinity_instead_of_contrasts(shapes, tmp_path):
    config = write_config(tmp_path / 'afa.py', SHAPES_AFA, shapes)
    losses = train_losses(config, tmp_path / 'run')
    assert ['loss_affinity' in row for row in losses] == (
        [False] * 10 + [True] * 20)
    assert not any('loss_ptc' in row for row in losses)
    cfg = load_config(config, work_dir=str(tmp_path / 'run'))
    checkpoint = best_checkpoint(cfg.work_dir)
    [path] = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert any('affinity_cam/mIoU' in row for row in rows)
    assert cfg.model.test_cfg.maps == 'affinity'
    report = generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'masks'))
    assert report['images'] == 8 and report['mIoU'] > 0
