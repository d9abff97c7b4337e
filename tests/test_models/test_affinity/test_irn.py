"""IRN: parity with the published code, boundaries, displacements."""
import numpy as np
import pytest
import torch
from affinity_nets import PREPROCESSOR, taps
from parity_files import close

from mmwsss.models import IRN


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
