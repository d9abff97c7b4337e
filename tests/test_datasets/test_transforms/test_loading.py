"""Photos as the pipelines load them; all kinds are in the tests of files."""
import numpy as np
from PIL import Image

from mmwsss.registry import TRANSFORMS


def test_upright_bgr_and_its_size(tmp_path):
    rgb = np.zeros((4, 6, 3), np.uint8)
    rgb[:, :3] = (200, 10, 0)
    exif = Image.Exif()
    exif[0x0112] = 6  # show it 90 degrees clockwise
    Image.fromarray(rgb).save(tmp_path / 'a.png', exif=exif)
    load = TRANSFORMS.build(dict(type='LoadPhoto'))
    results = load(dict(img_path=str(tmp_path / 'a.png')))
    assert results['img_shape'] == results['ori_shape'] == (6, 4)
    assert results['img'].shape == (6, 4, 3)
    assert results['img'].flags.c_contiguous
    assert results['img'][0, 0].tolist() == [0, 10, 200]
    assert results['img'][5, 3].tolist() == [0, 0, 0]
