"""Labels, regions and crops from maps, against the published codes."""
import numpy as np
import pytest
import torch
from clip_nets import CLIPFile
from parity_files import close

from mmwsss.ops.cam_labels import (
    cam_labels,
    competing_labels,
    crop,
    crop_corners,
    refined_labels,
    uncertain_regions,
)
from mmwsss.ops.pixel_adaptive_refinement import pixel_adaptive_refinement


@pytest.fixture
def arrays(test_data):
    with np.load(test_data('parity', 'toco_losses.npz')) as file:
        return {key: torch.from_numpy(file[key]) for key in file.files
                if not key.endswith('_json')}


def inside_box(boxes, size):
    """True inside (y0, y1, x0, x1), (B, H, W)."""
    result = torch.zeros(len(boxes), *size, dtype=torch.bool)
    for mask, (y0, y1, x0, x1) in zip(result, boxes.tolist()):
        mask[y0:y1, x0:x1] = True
    return result


def test_labels_parity(arrays):
    cams, onehot = arrays['cam/cam'], arrays['cam/cls_label']
    inside = inside_box(arrays['cam/img_box'], cams.shape[2:])
    for name, got in (
            ('label_nobox', cam_labels(cams, onehot, 0.5, 0.5)),
            ('label_box', cam_labels(cams, onehot, 0.5, 0.5, inside)),
            ('label_box_ignoremid',
             cam_labels(cams, onehot, 0.25, 0.7, inside))):
        assert torch.equal(got, arrays[f'cam/{name}']), name
    assert torch.equal(uncertain_regions(cams, onehot, 0.25, 0.7),
                       arrays['cam/roi_mask'].long())


def test_crops_parity(arrays):
    images = arrays['crop/images']
    regions = arrays['crop/roi_mask'].long()
    size = int(arrays['crop/crop_size'])
    count = len(arrays['crop/crops'])
    margin = size // 2
    # What the published permutation of the candidates takes first comes
    # first here.
    inner = regions[:, margin:-margin, margin:-margin]
    priority = torch.full(inner.shape, 0.01).flatten(1)
    for row, region, order in zip(priority, inner.flatten(1),
                                  arrays['crop/perm']):
        places = (region <= 1).nonzero().flatten()
        if len(places) < count:
            places = torch.arange(len(region))
        order = order[order >= 0][:count]
        row[places[order]] = torch.arange(len(order), 0, -1.)
    corners = crop_corners(regions, count, size, priority)
    assert torch.equal(crop(images, corners, size), arrays['crop/crops'])
    share = crop(regions.unsqueeze(1), corners, size).sum((2, 3, 4)) / size**2
    assert torch.equal((share > 0.2).t().float(), arrays['crop/flags'][:, 2:])


def test_refined_labels_parity(arrays):
    cams, onehot = arrays['refine/cams'], arrays['refine/cls_label']
    got = refined_labels(
        arrays['refine/images01'], cams, onehot, 0.25, 0.7,
        inside_box(arrays['refine/img_box'], cams.shape[2:]))
    want = arrays['refine/label'].long()
    assert (got != want).float().mean() <= 0.001


def test_crops_stay_inside_and_avoid_sure_objects():
    regions = torch.full((3, 40, 50), 2)
    regions[0, :, 30:] = 1
    regions[1] = 0  # all background
    corners = crop_corners(regions, 5, 16)
    assert (corners >= 0).all()
    assert (corners[..., 0] <= 24).all() and (corners[..., 1] <= 34).all()
    assert (corners[0, :, 1] + 8 >= 30).all()
    assert len({tuple(c) for c in corners[2].tolist()}) == 5
    assert crop(torch.rand(3, 3, 40, 50), corners, 16).shape == (
        5, 3, 3, 16, 16)


def test_an_image_smaller_than_a_crop_is_named():
    with pytest.raises(ValueError, match='8 crops of 96 px do not fit an '
                       'image of 64 x 200'):
        crop_corners(torch.zeros(1, 64, 200), 8, 96)


def test_an_image_without_classes_is_background():
    labels = refined_labels(
        torch.rand(2, 3, 32, 32), torch.rand(2, 4, 32, 32),
        torch.tensor([[0., 0, 0, 0], [0, 1, 0, 0]]), 0.25, 0.7)
    assert (labels[0] == 0).all()
    assert set(labels[1].unique().tolist()) <= {0, 2, 255}


def test_competing_labels_parity(test_data):
    """WeCLIP's, and the refined scores behind them."""
    file = CLIPFile(test_data('parity', 'weclip_decoder.npz'))
    image, maps = file['label/image'][None], file['rfm/voc_rfm_highres'][None]
    present = file['label/valid_key'][1:] - 1  # 0 is the background
    count = file.config['num_classes'] - 1
    cams = torch.zeros(1, count, *maps.shape[2:])
    cams[:, present] = maps
    onehot = torch.zeros(1, count)
    onehot[0, present] = 1
    got = competing_labels(image, cams, onehot)
    assert (got[0] != file['label/label']).float().mean() <= 0.001
    background = 1 - maps.amax(1, keepdim=True)
    refined = pixel_adaptive_refinement(
        image, torch.cat([background, maps], dim=1), 20,
        (1, 2, 4, 8, 12, 24))
    close(refined[0, :, ::4, ::4], file['label/par_out_every4'])


def competing(seed=0, size=(24, 30)):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(3, 3, *size, generator=generator)
    cams = torch.rand(3, 6, *size, generator=generator)
    onehot = torch.tensor([[0, 1., 0, 0, 1, 0], [0] * 6, [1.] * 6])
    return images, cams, onehot


@pytest.mark.parametrize('seed', range(3))
def test_present_classes_alone_compete(seed):
    images, cams, onehot = competing(seed)
    labels = competing_labels(images, cams, onehot, iterations=2)
    assert labels.dtype == torch.int64
    for label, present in zip(labels, onehot):
        allowed = {0, *(1 + present.nonzero().flatten()).tolist()}
        assert set(label.unique().tolist()) <= allowed
    assert not labels[1].any()  # no class: background
    # What maps of other classes say plays no part.
    changed = torch.where(onehot[..., None, None] > 0, cams, 5.)
    assert torch.equal(labels, competing_labels(images, changed, onehot,
                                                iterations=2))


def test_padding_is_ignored_and_images_stand_alone():
    images, cams, onehot = competing()
    inside = torch.ones(3, 24, 30, dtype=torch.bool)
    inside[0, 20:], inside[2, :, 11:] = False, False
    labels = competing_labels(images, cams, onehot, inside, iterations=2)
    assert torch.equal(labels == 255, ~inside)
    plain = competing_labels(images, cams, onehot, iterations=2)
    assert torch.equal(labels[inside], plain[inside])
    for i in range(3):
        alone = competing_labels(images[i:i + 1], cams[i:i + 1],
                                 onehot[i:i + 1], iterations=2)
        assert torch.equal(alone[0], plain[i])


def test_without_colours_the_strongest_wins():
    images, cams, onehot = competing()
    for power in (1., 4.):
        labels = competing_labels(images, cams, onehot, power=power,
                                  iterations=0)
        strength, winner = (cams * onehot[..., None, None]).max(1)
        want = torch.where(strength > (1 - strength)**power, winner + 1, 0)
        assert torch.equal(labels, want)
