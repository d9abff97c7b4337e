"""What every refiner shares: devices, fingerprints, chains."""
import pickle

import pytest
import torch

from mmwsss.refiners import (
    PAR,
    BaseRefiner,
    DenseCRF,
    RandomWalk,
    RefinerChain,
)
from mmwsss.registry import MODELS


class Scaled(BaseRefiner):
    """Maps times a factor; remembers on which device it worked."""

    def __init__(self, factor=0.5, device=None):
        super().__init__(device)
        self.factor = factor
        self._seen = []

    def refine(self, image, maps, labels):
        self._seen.append({x.device.type for x in (image, maps, labels)})
        return maps * self.factor


def photo():
    return torch.zeros(3, 4, 5, dtype=torch.uint8)


def test_a_device_of_its_own():
    refiner = Scaled(device='meta')
    with pytest.raises(NotImplementedError):  # nothing comes back from there
        refiner(photo(), torch.rand(1, 4, 5), torch.tensor([0]))
    assert refiner._seen == [{'meta'}]
    plain = Scaled()
    assert plain(photo(), torch.ones(1, 4, 5), torch.tensor([0])).max() == 0.5
    assert plain._seen == [{'cpu'}]


def test_no_class_is_no_work():
    refiner = Scaled()
    assert refiner(photo(), torch.rand(0, 4, 5), torch.tensor([])).shape == (
        0, 4, 5)
    assert not refiner._seen


def test_a_chain_keeps_the_order_and_the_range():
    chain = RefinerChain([Scaled(4.), Scaled(0.5)])
    assert chain(photo(), torch.full((1, 2, 2), 0.4), torch.tensor([1])
                 ).unique().item() == pytest.approx(0.8)
    assert RefinerChain([Scaled(4.)])(
        photo(), torch.ones(1, 2, 2), torch.tensor([1])).max() == 1


@pytest.mark.parametrize('devices, here', [
    ([], 0), ([None, None], 0), (['cuda', None], 1), ([None, 'cuda'], 2),
    ([None, 'cuda', None, None], 2)])
def test_what_works_beside_the_network(devices, here):
    first, second = RefinerChain(
        [Scaled(device=device) for device in devices]).split()
    assert (len(first), len(second)) == (here, len(devices) - here)
    assert all(one.device is None for one in second.refiners)


@pytest.mark.parametrize('one, other', [
    (PAR(iterations=3), PAR(iterations=4)),
    (PAR(dilations=(1, 2)), PAR(dilations=(1, 4))),
    (DenseCRF(background=0.4), DenseCRF(background=0.5)),
    (DenseCRF(gt_prob=0.7), DenseCRF(gt_prob=0.8)),
    (DenseCRF(bilateral_sxy=50), DenseCRF(bilateral_sxy=51)),
    (DenseCRF(unary='labels'), DenseCRF()),
    (Scaled(0.5), Scaled(0.4)),
    (PAR(), DenseCRF()),
])
def test_every_setting_is_in_the_fingerprint(one, other):
    assert one.fingerprint() != other.fingerprint()
    assert one.fingerprint() == pickle.loads(pickle.dumps(one)).fingerprint()


def test_where_it_works_is_not_in_the_fingerprint():
    assert PAR(device='cuda:1').fingerprint() == PAR().fingerprint()


NETWORK = '''
model = dict(
    type='PSA', widths=(8, 8), loss=dict(radius=2),
    data_preprocessor=dict(type='mmseg.SegDataPreProcessor'),
    backbone=dict(type='ViTTaps', detail_channels=8, vit=dict(
        type='TokenViT', img_size=32, patch_size=8, out_indices=(0, 1),
        arch=dict(embed_dims=16, num_layers=2, num_heads=2,
                  feedforward_channels=32))),
    test_cfg=dict(exp_times=EXP))
'''


def write_network(folder, exp_times=2, seed=0):
    """Config and weights of a small affinity network in a folder."""
    folder.mkdir()
    config, weights = folder / 'net.py', folder / 'net.pth'
    config.write_text(NETWORK.replace('EXP', str(exp_times)))
    torch.manual_seed(seed)
    from mmengine.config import Config
    model = MODELS.build(Config.fromfile(str(config)).model)
    torch.save(dict(state_dict=model.state_dict()), weights)
    return dict(config=str(config), checkpoint=str(weights))


def test_files_are_in_the_fingerprint_wherever_they_lie(tmp_path):
    here = write_network(tmp_path / 'here')
    before = RandomWalk(**here).fingerprint()
    # The same files elsewhere are the same refiner; ...
    there = write_network(tmp_path / 'there')
    assert RandomWalk(**there).fingerprint() == before
    # ... other weights, another config file or other options are not.
    assert RandomWalk(**write_network(tmp_path / 'weights', seed=1)
                      ).fingerprint() != before
    assert RandomWalk(**write_network(tmp_path / 'config', exp_times=3)
                      ).fingerprint() != before
    assert RandomWalk(**here, test_cfg=dict(beta=4)).fingerprint() != before


def test_a_used_network_is_no_setting(tmp_path):
    refiner = RandomWalk(**write_network(tmp_path / 'net'))
    before = refiner.fingerprint()
    image = torch.randint(0, 255, (3, 32, 40), dtype=torch.uint8)
    refined = refiner(image, torch.rand(1, 32, 40), torch.tensor([2]))
    assert refined.shape == (1, 32, 40) and 0 <= refined.min()
    assert refiner.fingerprint() == before


def test_the_compiled_crf_refuses_a_device():
    with pytest.raises(ValueError, match="works on CPUs, not on device='cuda"):
        DenseCRF(backend='pydensecrf', device='cuda')
