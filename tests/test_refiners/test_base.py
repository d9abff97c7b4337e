"""What every refiner shares: devices, fingerprints, chains."""
import os
import os.path as osp
import pickle

import numpy as np
import pytest
import torch

from mmwsss.apis import generate_pseudo_labels, load_config
from mmwsss.files.maps import read_map
from mmwsss.problems import ConfigError, DataError
from mmwsss.refiners import PAR, BaseRefiner, DenseCRF, RefinerChain
from mmwsss.registry import REFINERS


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


class Reads(BaseRefiner):
    """Reads a file and says nothing of it."""

    def __init__(self, table):
        super().__init__()
        self.table = table

    def refine(self, image, maps, labels):
        return maps


def test_a_file_that_an_attribute_names_is_read_for_the_fingerprint(tmp_path):
    prints = []
    for name, content in (('a', '1'), ('b', '1'), ('c', '2')):
        (tmp_path / name).write_text(content)
        prints.append(Reads(str(tmp_path / name)).fingerprint())
    assert prints[0] == prints[1] != prints[2]


class Named(BaseRefiner):
    """Needs the name of the image, and a file of each."""

    def refine(self, image, maps, labels):
        raise AssertionError('without a name')

    def refine_named(self, image, maps, labels, name):
        return maps * len(name) / 10

    def check_images(self, names):
        if 'missing' in names:
            raise DataError('missing')


def test_a_chain_hands_on_the_name_of_the_image():
    chain = RefinerChain([Named(), Scaled(0.5), Named()])
    assert chain(photo(), torch.ones(1, 4, 5), torch.tensor([0]), 'four'
                 ).unique().item() == pytest.approx(0.4 * 0.5 * 0.4)
    chain.check_images(['a', 'b'])
    with pytest.raises(DataError):
        chain.check_images(['a', 'missing'])


@pytest.mark.parametrize('value', [np.zeros(5000), torch.zeros(3), object()])
def test_what_has_no_digest_is_named(value):
    with pytest.raises(TypeError, match='Reads.table is no plain value'):
        Reads(value).fingerprint()


def test_where_it_works_is_not_in_the_fingerprint():
    assert PAR(device='cuda:1').fingerprint() == PAR().fingerprint()


@pytest.mark.parametrize('refiner', [
    dict(type='DenseCRF', bilateral_sxy=20, background=0.2),
    dict(type='DenseCRF', bilateral_sxy=20, unary='labels'),
    dict(type='PAR', dilations=(1, 2, 4)),
])
def test_a_map_grows_to_the_object(scene, refiner):
    image, maps, labels = scene
    refined = REFINERS.build(refiner)(image, maps, labels)
    assert refined.shape == maps.shape and refined.dtype == maps.dtype
    assert 0 <= refined.min() and refined.max() <= 1
    corner = refined[0, 22:24, 22:24].mean()
    outside = refined[0, 26:28, 26:28].mean()
    assert corner > 0.3 and outside < 0.1


def test_an_image_without_classes():
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    for refiner in (DenseCRF(), PAR()):
        none = refiner(image, torch.zeros(0, 8, 8), torch.zeros(0).long())
        assert none.shape == (0, 8, 8)


REFINED = '''
_base_ = {root!r}
refiners = [dict(type='PAR', dilations=(1, 2)),
            dict(type='DenseCRF', bilateral_sxy=20)]
refine_workers = 2
'''


def test_refiners_of_a_config_chain(trained, localizer_config, tmp_path):
    _, checkpoint = trained
    path = tmp_path / 'refined.py'
    path.write_text(REFINED.format(root=localizer_config))
    plain, pool, alone = (str(tmp_path / name)
                          for name in ('plain', 'pool', 'alone'))
    plain_cfg = load_config(localizer_config, work_dir=str(tmp_path / 'w'))
    cfg = load_config(str(path), work_dir=str(tmp_path / 'w'))
    generate_pseudo_labels(plain_cfg, checkpoint, plain)
    generate_pseudo_labels(cfg, checkpoint, pool)
    cfg.refine_workers = 0
    generate_pseudo_labels(cfg, checkpoint, alone)
    names = sorted(os.listdir(osp.join(plain, 'maps')))
    assert len(names) == 8
    for name in names:
        files = []
        for folder in (pool, alone):
            with open(osp.join(folder, 'maps', name), 'rb') as file:
                files.append(file.read())
        assert files[0] == files[1]
        before, after = (read_map(osp.join(folder, 'maps', name)).maps
                         for folder in (plain, pool))
        assert np.abs(before - after).max() > 0.1
    with pytest.raises(ConfigError, match='other settings'):
        generate_pseudo_labels(cfg, checkpoint, plain)
