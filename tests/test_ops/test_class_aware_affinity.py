"""Class-aware affinity: against the published codes, and the long way."""
import cv2
import numpy as np
import pytest
import torch
from clip_nets import CLIPFile
from parity_files import close

from mmwsss.ops.class_aware_affinity import (
    box_mask,
    class_aware_affinity,
    select_attention,
    sinkhorn,
    transition_matrix,
)


@pytest.fixture(scope='module')
def clip_es(test_data):
    return CLIPFile(test_data('parity', 'clip_es_cam.npz'))


@pytest.fixture(scope='module')
def weclip(test_data):
    return CLIPFile(test_data('parity', 'weclip_decoder.npz'))


def images(file):
    return sorted({key.split('/')[0] for key in file if '/image' in key})


def test_transition_parity(weclip):
    close(transition_matrix(weclip['sinkhorn/aff']), weclip['sinkhorn/trans'])


def test_boxes_parity(clip_es):
    for image in images(clip_es):
        cams = clip_es[f'{image}/cam']
        want = torch.zeros_like(cams, dtype=torch.bool)
        for k, x0, y0, x1, y1 in clip_es[f'{image}/boxes'].tolist():
            want[k, y0:y1, x0:x1] = True
        assert torch.equal(box_mask(cams, clip_es.config['box_threshold']),
                           want)


def test_class_aware_affinity_parity(clip_es):
    config = clip_es.config
    for image in images(clip_es):
        attention = clip_es[f'{image}/attn'][
            -config['num_attn_layers']:, 1:, 1:].mean(0)
        spread = class_aware_affinity(
            clip_es[f'{image}/cam'][None],
            transition_matrix(attention[None],
                              1 + config['sinkhorn_extra_iters'],
                              config['matmul_squarings']),
            config['box_threshold'])
        close(spread[0], clip_es[f'{image}/cam_refined'])


@pytest.mark.parametrize('data', ['voc', 'coco'])
def test_spread_maps_parity(weclip, data):
    config = weclip.config
    attention = weclip['rfm/attn'][None, :, 1:, 1:]
    chosen = select_attention(
        attention[:, -config[f'rfm_attn_layers_{data}']:],
        weclip['rfm/attn_pred'][None])
    plain = attention[:, -config['plain_attn_layers']:].mean(1)
    for name, weights in (('plain', plain), ('rfm', chosen)):
        got = class_aware_affinity(
            weclip['rfm/cams'][None], transition_matrix(weights),
            config[f'box_threshold_{data}'])
        close(got[0], weclip[f'rfm/{data}_{name}'])


def test_signed_selection_parity(weclip):
    """A file in which the published selection differs from |difference|."""
    layers = weclip.config['rfm_attn_layers_voc']
    chosen = select_attention(weclip['rfm2/attn'][None, -layers:, 1:, 1:],
                              weclip['rfm2/attn_pred'][None])
    got = class_aware_affinity(
        weclip['rfm/cams'][None], transition_matrix(chosen),
        weclip.config['box_threshold_voc'])
    close(got[0], weclip['rfm2/voc_rfm'])


@pytest.mark.parametrize('rounds', [1, 3, 50])
def test_rows_sum_to_one_and_columns_in_the_limit(rounds):
    affinity = torch.rand(2, 3, 20, 20) + 0.01
    got = sinkhorn(affinity, rounds)
    torch.testing.assert_close(got.sum(-1), torch.ones(2, 3, 20))
    if rounds == 50:
        torch.testing.assert_close(got.sum(-2), torch.ones(2, 3, 20))


def test_a_doubly_stochastic_matrix_stays():
    affinity = torch.full((1, 8, 8), 0.3)
    torch.testing.assert_close(sinkhorn(affinity), affinity / 2.4)


def test_a_transition_is_symmetric_and_keeps_the_sum():
    matrix = transition_matrix(torch.rand(2, 30, 30), rounds=50)
    torch.testing.assert_close(matrix, matrix.transpose(1, 2))
    torch.testing.assert_close(matrix.sum(-1), torch.ones(2, 30))


def test_selected_layers_are_those_that_attend_most_to_patches():
    attention = torch.rand(2, 4, 6, 6) * torch.tensor(
        [[.1, 1, 2, .1], [3, .1, .1, .1]])[:, :, None, None]
    learned = torch.rand(2, 6, 6)
    got = select_attention(attention, learned)
    close(got[0], attention[0, 1:3].mean(0) * learned[0])
    close(got[1], attention[1, 0] * learned[1])


def plain_boxes(cam, threshold, cover_edge):
    """The mask of one map, with OpenCV and a loop."""
    height, width = cam.shape
    levels = np.floor(255 * (cam / (cam.max() + 1e-7)))
    bright = (levels > int(threshold * levels.max())).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    mask = np.zeros(cam.shape, bool)
    for x, y, w, h, _ in stats[1:]:
        right, bottom = (x + w, y + h) if cover_edge else (
            min(x + w, width - 1), min(y + h, height - 1))
        mask[y:bottom, x:right] = True
    return mask


@pytest.mark.parametrize('cover_edge', [False, True])
@pytest.mark.parametrize('size', [(6, 8), (1, 9), (9, 1), (1, 1), (23, 17),
                                  (32, 40)])
@pytest.mark.parametrize('threshold', [0., 0.4, 0.7, 0.95])
def test_boxes_the_long_way(size, threshold, cover_edge):
    generator = torch.Generator().manual_seed(size[0] * 100 + size[1])
    maps = torch.rand(4, 5, *size, generator=generator)
    maps[1] = maps[1]**4  # few bright spots
    maps[2] *= torch.rand(5, 1, 1, generator=generator)  # a lower peak
    maps[3, :, size[0] // 2:] = 0
    got = box_mask(maps, threshold, cover_edge)
    assert got.dtype == torch.bool and got.shape == maps.shape
    for mask, cam in zip(got.flatten(0, 1), maps.flatten(0, 1)):
        want = plain_boxes(cam.numpy(), threshold, cover_edge)
        assert (mask.numpy() == want).all()


def test_boxes_of_a_long_snake():
    """What hangs together over many steps is one region."""
    cam = torch.zeros(1, 21, 21)
    cam[0, ::2] = 1
    cam[0, 1::4, 20] = cam[0, 3::4, 0] = 1
    assert box_mask(cam, 0.4, cover_edge=True).all()
    assert box_mask(cam, 0.4)[0, :20, :20].all()


def test_a_map_of_zeros_has_no_box():
    assert not box_mask(torch.zeros(2, 3, 5, 5), 0.).any()


def test_evidence_comes_from_the_boxes_alone():
    maps = torch.zeros(1, 2, 4, 4)
    maps[0, 0, 1, 1], maps[0, 0, 3, 3] = 1, 0.2
    transition = torch.rand(1, 16, 16)
    got = class_aware_affinity(maps, transition, 0.4)
    close(got[0, 0].flatten(), transition[0, :, 5])
    assert not got[0, 1].any()
