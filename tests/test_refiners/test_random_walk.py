"""A trained affinity network as a refiner."""
import torch
from mmengine.config import Config

from mmwsss.refiners import RandomWalk
from mmwsss.registry import MODELS

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
