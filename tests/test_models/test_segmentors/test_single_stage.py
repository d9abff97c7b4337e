"""The skeleton of single-stage methods, by those there are and a toy."""
import pytest
import torch
from mmengine.structures import LabelData, PixelData
from mmseg.structures import SegDataSample
from single_stage_nets import afa, sample, toco
from torch import nn

from mmwsss.models import SingleStage
from mmwsss.registry import MODELS

METHODS = dict(ToCo=toco, AFA=afa)


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


@pytest.fixture
def network(method):
    torch.manual_seed(0)
    return method().eval()


# Maps of several scales

def test_maps_of_present_classes_are_those_of_all(network):
    images = torch.randn(2, 3, 64, 64)
    onehot = torch.tensor([[0., 1, 0, 0], [1, 0, 0, 1]])
    for every, some in zip(network.multi_scale_maps(images),
                           network.multi_scale_maps(images, onehot)):
        assert every.shape == some.shape == (2, 4, 64, 64)
        torch.testing.assert_close(some, every * onehot[..., None, None])


def test_what_is_encoded_already_is_used_for_the_maps(network, monkeypatch):
    images = torch.randn(2, 3, 64, 64)
    want = network.multi_scale_maps(images)
    encoded = network.encode(images)
    seen = []
    encode = network.encode
    monkeypatch.setattr(network, 'encode',
                        lambda x: seen.append(x.shape) or encode(x))
    got = network.multi_scale_maps(images, None, encoded)
    assert [shape[0] for shape in seen] == [2, 4, 4]
    for one, other in zip(got, want):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-4)


def test_one_pass_gives_scores_and_maps(network, monkeypatch):
    images = torch.randn(1, 3, 64, 48)
    sample = SegDataSample(gt_label=LabelData(
        label_onehot=torch.tensor([0., 1, 0, 1])))
    want = network.multi_scale_maps(images)[0][0, [1, 3]]
    score = network.classify(images).sigmoid()[0]
    seen = []
    encode = network.encode
    monkeypatch.setattr(network, 'encode',
                        lambda x: seen.append(x.shape) or encode(x))
    [found] = network(images, [sample], mode='localize')
    # The image; its mirror image; both at the two other scales.
    assert [shape[0] for shape in seen] == [1, 1, 2, 2]
    torch.testing.assert_close(found.pred_maps.data, want, rtol=0, atol=2e-4)
    torch.testing.assert_close(found.pred_label.score, score)


def test_the_kind_of_maps_is_chosen(network):
    images, samples = torch.randn(1, 3, 64, 64), [sample([0., 1, 0, 1],
                                                         (64, 64))]
    found = {}
    for kind in network.map_fields:
        network.test_cfg['maps'] = kind
        [found[kind]] = network.localize(images, samples)
    final, aux = network.multi_scale_maps(images,
                                          torch.tensor([[0., 1, 0, 1]]))
    for kind, maps in (('cam', final), ('aux', aux)):
        torch.testing.assert_close(found[kind], maps[0, [1, 3]], rtol=0,
                                   atol=2e-4)
    assert (found['cam'] - found['aux']).abs().max() > 0.1


# Training

def test_the_mask_is_never_read(method):
    torch.manual_seed(0)
    small = method()
    images = torch.randn(1, 3, 128, 128)
    first = sample([0., 1, 0, 0], (128, 128))
    losses = []
    for fill in (None, 3):
        state = {k: v.clone() for k, v in small.state_dict().items()}
        if fill is not None:
            first.gt_sem_seg = PixelData(
                data=torch.full((1, 128, 128), fill))
        torch.manual_seed(1)
        losses.append(small(images, [first], mode='loss'))
        small.load_state_dict(state)
    for name, value in losses[0].items():
        assert torch.equal(value, losses[1][name])


def test_weights_are_the_networks_own(method):
    """A hook changes the dict of one network in place."""
    defaults = dict(method.args[0].default_loss_weights)
    one = method()
    one.loss_weights.update(seg=0.3)
    assert method().loss_weights == defaults
    assert method(loss_weights=dict(seg=0.3)).loss_weights == (
        one.loss_weights)


def test_a_loss_without_weight_is_not_computed(method):
    names = set(method().loss_weights)
    for off in names:
        losses = method(loss_weights={off: 0.})(
            torch.randn(1, 3, 128, 128),
            [sample([0., 1, 0, 0], (128, 128))], mode='loss')
        assert set(losses) == {f'loss_{name}' for name in names - {off}}


@pytest.mark.parametrize('options, message', [
    (dict(thresholds=(0.7, 0.25)), 'thresholds'),
    (dict(thresholds=(0.7, 1.25)), 'thresholds'),
    (dict(loss_weights=dict(crop=1)), r"unknown \['crop'\]"),
    (dict(test_cfg=dict(maps='seg')), r"test_cfg.maps='seg'.*'cam', 'aux'")])
def test_wrong_options_are_named(method, options, message):
    with pytest.raises(ValueError, match=message):
        method(**options)


# A method of another kind: a frozen encoder without classifiers

@MODELS.register_module()
class TwoDepths(nn.Module):
    """A pre-trained CNN in small: the colours, and smoothed at half size."""

    tap_channels, tap_strides = (3, 3), (1, 2)

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1, bias=False)
        self.first.weight.data = torch.eye(3)[..., None, None]
        self.norm = nn.BatchNorm2d(3)
        self.pool = nn.AvgPool2d(2)

    def forward(self, images):
        """(B, 3, H, W) and (B, 3, H / 2, W / 2)."""
        colours = self.norm(self.first(images))
        return colours, self.pool(colours)


class FrozenEncoder(SingleStage):
    """Maps are likenesses with given vectors; only the decoder learns."""

    map_fields = dict(likeness='pred_likeness')
    default_loss_weights = dict(seg=1.)

    def __init__(self, class_vectors, **kwargs):
        super().__init__(**kwargs)
        self.backbone.requires_grad_(False)
        self.register_buffer('class_vectors', class_vectors)  # (C, D)

    def train(self, mode=True):
        super().train(mode)
        self.backbone.eval()
        return self

    @torch.no_grad()
    def encode(self, inputs):
        return self.backbone(inputs)

    def class_logits(self, encoded):
        return self.responses(encoded)[0].amax((2, 3))

    def responses(self, encoded, onehot=None):
        return (torch.einsum('bdhw,cd->bchw', encoded[-1],
                             self.class_vectors), )


@pytest.fixture
def frozen():
    torch.manual_seed(0)
    return FrozenEncoder(
        torch.tensor([[1., -0.5, -0.5], [-0.5, -0.5, 1.]]),  # red, blue
        backbone=dict(type='TwoDepths'), num_classes=2,
        data_preprocessor=dict(type='mmseg.SegDataPreProcessor',
                               mean=[127.] * 3, std=[60.] * 3),
        decode_head=dict(
            type='mmseg.FCNHead', in_channels=(3, 3), in_index=(0, 1),
            input_transform='resize_concat', channels=16, num_convs=1,
            concat_input=False, dropout_ratio=0,
            loss_decode=dict(type='mmseg.CrossEntropyLoss')),
        test_cfg=dict(scales=(1.0, )))


@pytest.fixture
def scene():
    """A red and a blue square, each in a noisy photo of its own."""
    torch.manual_seed(1)
    images = 0.3 * torch.randn(2, 3, 32, 48)
    masks = torch.zeros(2, 32, 48, dtype=torch.long)
    for i, (image, mask) in enumerate(zip(images, masks)):
        mask[8:24, 8:28] = i + 1
        image[2 * i, mask > 0] += 2.
    samples = [SegDataSample(
        metainfo=dict(img_shape=(32, 48), ori_shape=(32, 48)),
        gt_label=LabelData(label_onehot=torch.eye(2)[i])) for i in range(2)]
    return images, masks, samples


def test_a_frozen_encoder_trains_its_decoder(frozen, scene):
    images, masks, samples = scene
    encoder = {k: v.clone() for k, v in frozen.backbone.state_dict().items()}
    frozen.train()
    optimizer = torch.optim.Adam(frozen.parameters(), lr=0.02)
    totals = []
    for _ in range(30):
        losses = frozen(images, samples, mode='loss')
        total, _ = frozen.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert totals[-1] < totals[0] / 2
    assert all(p.grad is None for p in frozen.backbone.parameters())
    for name, value in frozen.backbone.state_dict().items():
        assert torch.equal(value, encoder[name])
    untaught = [name for name, p in frozen.decode_head.named_parameters()
                if p.grad is None or not p.grad.abs().sum()]
    assert not untaught
    # As a segmentor it needs no labels.
    plain = [SegDataSample(metainfo=one.metainfo) for one in samples]
    with torch.no_grad():
        found = frozen.eval()(images, plain, mode='predict')
    for one, mask in zip(found, masks):
        won = one.pred_sem_seg.data[0]
        assert ((won > 0) & (won == mask)).sum() / (
            (won > 0) | (mask > 0)).sum() > 0.8
        assert 'pred_likeness' not in one


@torch.no_grad()
def test_a_frozen_encoder_localizes_with_maps_of_its_own(frozen, scene):
    images, masks, samples = scene
    assert frozen.patch_size == 2 and frozen.out_channels == 3
    maps = frozen.eval().class_maps(images)
    assert maps.shape == (2, 2, 16, 24) and maps.min() >= 0
    for one, mask in zip(frozen(images, samples, mode='predict'), masks):
        assert (one.pred_likeness.data[0] == mask).float().mean() > 0.95
        assert 'pred_maps' not in one
    for i, one in enumerate(frozen(images, samples, mode='localize')):
        assert one.pred_maps.labels == [i]
        found = one.pred_maps.data[0] > 0.5
        assert (found == (masks[i] > 0)).float().mean() > 0.95
        assert one.pred_label.score.argmax() == i
