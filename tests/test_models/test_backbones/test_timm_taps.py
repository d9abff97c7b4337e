"""CNNs of timm as backbones: taps, weights, freezing, errors."""
import sys

import pytest
import timm
import torch
from affinity_nets import PREPROCESSOR
from torch import nn

from mmwsss.models import IRN
from mmwsss.problems import ConfigError, DataError
from mmwsss.registry import MODELS

# Networks of each kind of names and stages.
NETWORKS = ('test_efficientnet', 'test_resnet', 'test_convnext')


def timm_taps(name='test_efficientnet', **kwargs):
    """A tiny network of timm's."""
    return MODELS.build(dict(type='TIMMTaps', model_name=name, **kwargs))


def whole_weights(path, name):
    """The weights of the whole network, saved; each is another number."""
    net = timm.create_model(name)
    state = {key: 0.5 + torch.rand_like(value) if value.is_floating_point()
             else value for key, value in net.state_dict().items()}
    torch.save(state, path)
    return state


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize('side', [64, 67])
def test_taps_have_the_channels_and_strides_that_they_say(name, side):
    backbone = timm_taps(name).eval()
    with torch.no_grad():
        maps = backbone(torch.rand(2, 3, side, 96))
    assert [x.shape[1] for x in maps] == list(backbone.tap_channels)
    assert min(backbone.tap_strides) == 4
    if name != 'test_convnext':  # which drops what a patch does not fill
        assert [tuple(x.shape[2:]) for x in maps] == [
            (-(-side // stride), 96 // stride)
            for stride in backbone.tap_strides]


@pytest.mark.parametrize('name', NETWORKS)
def test_weights_of_the_whole_network_load(name, tmp_path):
    path = str(tmp_path / 'weights.pth')
    state = whole_weights(path, name)
    backbone = timm_taps(name, pretrained=path)
    backbone.init_weights()
    reference = timm.create_model(name).eval()
    reference.load_state_dict(state)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        taps = timm_taps(name, pretrained=path, min_stride=1)
        taps.init_weights()
        ours = taps.eval()(images)[-1]
        theirs = reference.forward_intermediates(
            images, intermediates_only=True)[-1]
    torch.testing.assert_close(ours, theirs)


def test_weights_that_lack_one_are_named(tmp_path):
    path = str(tmp_path / 'weights.pth')
    state = whole_weights(path, 'test_efficientnet')
    state.pop('conv_stem.weight')
    torch.save(state, path)
    with pytest.raises(DataError, match='1 weights .* conv_stem.weight'):
        timm_taps(pretrained=path).init_weights()


@pytest.mark.parametrize('name', NETWORKS)
def test_stages_are_frozen_up_to_the_one_named(name):
    count = len(timm_taps(name).tap_strides)
    trained = []
    for stages in range(-1, count):
        backbone = timm_taps(name, frozen_stages=stages)
        free = [p for p in backbone.parameters() if p.requires_grad]
        trained.append(len(free))
        # A tap of a frozen stage depends on no free weight, and the next one
        # does.
        for i, tap in enumerate(backbone(torch.rand(1, 3, 64, 64))):
            assert tap.requires_grad == (i > stages)
    assert trained[-1] == 0
    assert trained == sorted(trained, reverse=True)
    assert len(set(trained)) == len(trained)
    with pytest.raises(ConfigError, match=f'stages 0 to {count - 1}'):
        timm_taps(name, frozen_stages=count)


@pytest.mark.parametrize('norm_eval', [True, False])
def test_batch_norms_keep_to_their_statistics(norm_eval):
    backbone = timm_taps(norm_eval=norm_eval).train()
    norms = [m for m in backbone.modules()
             if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    before = norms[0].running_mean.clone()
    backbone(torch.rand(2, 3, 64, 64) + 1)
    assert torch.equal(norms[0].running_mean, before) == norm_eval


def test_a_stage_begins_after_the_tap_before_it():
    backbone = timm_taps('tf_efficientnet_lite0', frozen_stages=2)
    frozen = {'.'.join(name.split('.')[:3]) for name, parameter in
              backbone.named_parameters() if not parameter.requires_grad}
    # blocks.3 has no tap: it leads to the next one, of blocks.4.
    assert 'net.blocks.2' in frozen and 'net.blocks.3' not in frozen


def test_freezing_leaves_the_statistics_as_they_were():
    plain, frozen = (timm_taps(frozen_stages=i) for i in (-1, 2))
    assert frozen.training
    for key, value in plain.state_dict().items():
        if 'running' in key:
            assert torch.equal(frozen.state_dict()[key], value)


def test_irn_on_taps_of_timm():
    backbone = dict(type='TIMMTaps', model_name='test_efficientnet',
                    output_stride=16, frozen_stages=4)
    model = IRN(backbone, PREPROCESSOR).train()
    assert model.backbone.tap_strides == (4, 4, 8, 16, 16)
    edge, displacement = model.relations(torch.rand(2, 3, 50, 71))
    assert edge.shape == (2, 1, 13, 18) and displacement.shape[1] == 2


@pytest.mark.parametrize('options, message', [
    (dict(name='test_efficientnets'), "did you mean 'test_efficientnet'"),
    (dict(name='test_convnext', output_stride=2),
     'test_convnext with .*timm cannot make it'),
    (dict(no_such_option=1), 'test_efficientnet with .*timm cannot make it'),
    (dict(min_stride=3), 'min_stride=3 is no multiple of its stride 2'),
])
def test_what_cannot_be_made_is_one_line(options, message):
    with pytest.raises(ConfigError, match=message) as error:
        timm_taps(**options)
    assert '\n' not in str(error.value)


def test_without_timm_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'timm', None)
    with pytest.raises(ConfigError, match=r'pip install "mmwsss\[timm\]"'):
        timm_taps()
