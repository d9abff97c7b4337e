"""COCO 2014 as downloaded -> what the configs read, and its configs."""
import json
import os
import os.path as osp

import numpy as np
import pytest
from command_lines import run_tool
from PIL import Image
from schedules import build_schedules
from shapes import ROOT

from mmwsss.apis import load_config, train
from mmwsss.datasets.class_prompts import COCO80
from mmwsss.datasets.coco14 import METAINFO
from mmwsss.files.masks import read_mask
from mmwsss.preparation.coco14 import convert_coco14
from mmwsss.problems import DataError
from mmwsss.registry import DATASETS

mask_api = pytest.importorskip('pycocotools.mask')
HEIGHT, WIDTH = 40, 60
# COCO's ids of its 80 categories: ten of 1..90 were never used.
IDS = [i for i in range(1, 91)
       if i not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]
TABLE = list(COCO80).index('dining table') + 1
CUP = list(COCO80).index('cup') + 1
PERSON = 1


def box(left, top, right, bottom):
    """A polygon that covers these pixels exactly."""
    return [left, top, right, top, right, bottom, left, bottom]


def pixels(left, top, right, bottom):
    region = np.zeros((HEIGHT, WIDTH), np.uint8)
    region[top:bottom, left:right] = 1
    return region


def run_lengths(region):
    """Uncompressed, as COCO writes crowds: by columns, background first."""
    flat = region.T.reshape(-1)
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *ends, len(flat)]).tolist()
    return dict(size=[HEIGHT, WIDTH],
                counts=counts if flat[0] == 0 else [0, *counts])


def annotation(number, image, category, outline, **kwargs):
    return dict(dict(id=number, image_id=image, iscrowd=0,
                     category_id=IDS[category - 1], segmentation=outline),
                **kwargs)


def instances(split, first):
    """Three images of a split: a cup on a table, a crowd, nothing."""
    names = [f'COCO_{split}_{first + i:012d}.jpg' for i in range(3)]
    crowd = run_lengths(pixels(5, 5, 30, 20))
    packed = mask_api.encode(np.asfortranarray(pixels(40, 5, 50, 30)))
    packed['counts'] = packed['counts'].decode()
    return dict(
        images=[dict(id=first + i, file_name=name, height=HEIGHT,
                     width=WIDTH) for i, name in enumerate(names)],
        categories=[dict(id=i, name=name) for i, name in zip(IDS, COCO80)],
        annotations=[
            annotation(1, first, CUP, [box(10, 10, 14, 20)]),
            annotation(2, first, TABLE,
                       [box(5, 15, 55, 35), box(0, 0, 3, 3)]),
            annotation(3, first + 1, PERSON, crowd, iscrowd=1),
            annotation(4, first + 1, CUP, packed)])


@pytest.fixture
def coco(tmp_path):
    """A COCO 2014 of three photos a split."""
    root = str(tmp_path / 'coco')
    for split, first in (('train2014', 9), ('val2014', 42)):
        content = instances(split, first)
        os.makedirs(osp.join(root, split))
        for image in content['images']:
            Image.new('RGB', (WIDTH, HEIGHT), 'grey').save(
                osp.join(root, split, image['file_name']))
        write_instances(root, split, content)
    return root


def write_instances(root, split, content):
    path = osp.join(root, 'annotations', f'instances_{split}.json')
    os.makedirs(osp.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        json.dump(content, file)


def convert(root, **kwargs):
    return convert_coco14(root, **dict(dict(num_workers=0, subset=True),
                                       **kwargs))


def problems(root, **kwargs):
    with pytest.raises(DataError) as caught:
        convert(root, **kwargs)
    assert not osp.exists(osp.join(root, 'labels_train2014.csv'))
    return str(caught.value)


def mask_path(root, split, number):
    return osp.join(root, 'SegmentationClass', split,
                    f'COCO_{split}_{number:012d}.png')


def build(root, split='train2014', **kwargs):
    return DATASETS.build(dict(
        dict(type='COCO14ClsDataset', data_root=root,
             data_prefix=dict(img_path=split,
                              seg_map_path=f'SegmentationClass/{split}'),
             ann_file=f'ImageSets/{split}.txt',
             label_source=dict(type='TableLabels',
                               file=f'labels_{split}.csv')), **kwargs))


def test_masks_lists_and_labels(coco):
    assert convert(coco) == dict(train2014=2, val2014=2, written=4)
    mask = read_mask(mask_path(coco, 'train2014', 9))
    expected = TABLE * (pixels(5, 15, 55, 35) + pixels(0, 0, 3, 3))
    expected[10:20, 10:14] = CUP  # the smaller one lies on top
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(
        read_mask(mask_path(coco, 'val2014', 43)),
        PERSON * pixels(5, 5, 30, 20) + CUP * pixels(40, 5, 50, 30))
    with Image.open(mask_path(coco, 'val2014', 43)) as image:
        assert image.mode == 'P'
        assert image.getpalette()[3 * CUP:][:3] == METAINFO['palette'][CUP]
    with open(osp.join(coco, 'ImageSets', 'train2014.txt')) as file:
        assert file.read().split() == [  # the empty photo is left out
            'COCO_train2014_000000000009', 'COCO_train2014_000000000010']
    data = build(coco)
    assert len(data) == 2 and data.labels.sum() == 4
    assert data.labels[0, [CUP - 1, TABLE - 1]].all()
    # The table and the annotations say the same.
    source = dict(type='COCOLabels',
                  file='annotations/instances_train2014.json')
    np.testing.assert_array_equal(
        build(coco, label_source=source).labels, data.labels)


def test_second_run_draws_what_is_missing(coco):
    convert(coco)
    kept, lost = (mask_path(coco, 'train2014', n) for n in (9, 10))
    before = os.stat(kept).st_mtime_ns
    os.remove(lost)
    assert convert(coco)['written'] == 1
    assert os.stat(kept).st_mtime_ns == before and osp.isfile(lost)


def test_other_names_and_another_place(coco, tmp_path):
    os.rename(osp.join(coco, 'val2014'), osp.join(coco, 'photos'))
    os.rename(osp.join(coco, 'annotations/instances_val2014.json'),
              osp.join(coco, 'val2014.json'))
    out = str(tmp_path / 'out')
    convert(coco, splits=['val2014'], images='photos',
            annotations='{split}.json', out_dir=out)
    assert osp.isfile(mask_path(out, 'val2014', 42))
    assert not osp.exists(osp.join(coco, 'SegmentationClass'))


def test_problems_are_reported_together_before_work(coco):
    content = instances('train2014', 9)
    photo = content['images'][0]
    content['images'] += [
        dict(photo), dict(photo, id=99),
        dict(id=77, file_name='absent.jpg', height=1, width=1)]
    content['annotations'] += [
        annotation(5, 9, 1, [box(0, 0, 4, 4)], category_id=12),
        annotation(6, 10, 1, [[1, 1, 5, 5]]),
        annotation(7, 10, 1, [[1, 1, 5, 5, float('nan'), 2]]),
        annotation(13, 10, 1, [[1, 1, 5, 5, 1e9, 2]]),
        annotation(14, 10, 1, [[1, 1, 5, 5, 'x', 2]]),
        annotation(8, 9, 1, dict(size=[4, 4], counts=[0, 16])),
        annotation(9, 9, 1, dict(size=[HEIGHT, WIDTH], counts=[0, 7])),
        annotation(10, 9, 1, []), annotation(11, 1234, 1, []),
        annotation(12, 77, 1, [box(0, 0, 1, 1)])]
    write_instances(coco, 'train2014', content)
    path = osp.join(coco, 'val2014', 'COCO_val2014_000000000042.jpg')
    Image.new('RGB', (HEIGHT, WIDTH)).save(path)
    message = problems(coco)
    name = 'COCO_train2014_000000000009.jpg'
    other = 'COCO_train2014_000000000010.jpg'
    for line in (
            f'image {name} (id 9) is listed a second time, by its id',
            f'image {name} (id 99) is listed a second time, by its name',
            f'annotation 5 of {name}: category id 12 is not among',
            f'annotation 6 of {other}: a polygon of 4 coordinates',
            f'annotation 7 of {other}: a polygon with coordinates far',
            f'annotation 13 of {other}: a polygon with coordinates far',
            f'annotation 14 of {other}: a polygon with coordinates that are',
            f'annotation 8 of {name}: run lengths (RLE) for 4 x 4, but the '
            'image is 40 x 60',
            f'annotation 9 of {name}: run lengths (RLE) of 7 pixels',
            f'annotation 10 of {name}: neither polygons nor run lengths',
            'annotation 11: image id 1234 is not among',
            f'no photo {osp.join(coco, "train2014", "absent.jpg")}',
            f'{path}: 60 x 40 when upright, the annotations say 40 x 60'):
        assert line in message
    assert not osp.exists(osp.join(coco, 'SegmentationClass'))


def test_bad_outlines_can_be_left_out(coco):
    content = instances('train2014', 9)
    content['annotations'].append(annotation(5, 10, TABLE, [[1, 1, 5, 5]]))
    write_instances(coco, 'train2014', content)
    assert '--skip-bad-outlines' in problems(coco)
    convert(coco, skip_bad_outlines=True)
    assert TABLE not in read_mask(mask_path(coco, 'train2014', 10))
    assert build(coco).labels[1, TABLE - 1] == 1  # it is in the photo


@pytest.mark.parametrize('counts', ['zzzz', '', '0', 'PPPPPPPPPPP', [0, 7],
                                    [-5, HEIGHT * WIDTH + 5]])
def test_damaged_run_lengths(coco, counts):
    content = instances('train2014', 9)
    content['annotations'][3]['segmentation']['counts'] = counts
    write_instances(coco, 'train2014', content)
    assert ('annotation 4 of COCO_train2014_000000000010.jpg: run lengths '
            '(RLE) of ') in problems(coco)


def test_other_categories(coco):
    content = instances('train2014', 9)
    content['categories'][2]['name'] = 'cat or car'
    write_instances(coco, 'train2014', content)
    assert "category id 3: unknown class 'cat or car'" in problems(coco)
    content = instances('train2014', 9)
    del content['categories'][79]
    write_instances(coco, 'train2014', content)
    assert '79 categories, which are not' in problems(coco)
    write_instances(coco, 'train2014', [])
    assert "no 'images'; this is not a COCO" in problems(coco)
    content = instances('train2014', 9)
    del content['images'][1]['height']
    write_instances(coco, 'train2014', content)
    assert ("image COCO_train2014_000000000010.jpg: no 'height'"
            in problems(coco))


def test_missing_parts_and_counts_of_the_papers(coco):
    os.rename(osp.join(coco, 'val2014'), osp.join(coco, 'elsewhere'))
    with open(osp.join(coco, 'val2014'), 'w'):
        pass
    message = problems(coco, subset=False, splits=[
        'train2014', 'val2014', 'test2014'])
    assert '2 images with an object, the papers have 82081' in message
    assert 'instances_test2014.json' in message
    assert 'no folder' in message and 'val2014' in message


def test_list_of_an_absent_photo_stops_before_training(coco):
    convert(coco)
    os.remove(osp.join(coco, 'train2014', 'COCO_train2014_000000000010.jpg'))
    Image.new('RGB', (4, 4)).save(mask_path(coco, 'train2014', 9))
    with pytest.raises(DataError, match=r'2 problem\(s\)') as caught:
        build(coco)
    assert 'line 2: no image' in str(caught.value)
    assert '000000000009.png: a mask has one index' in str(caught.value)


def test_tool_in_processes_on_real_photos(test_data, tmp_path, capsys):
    from pycocotools.coco import COCO
    root, out = test_data('coco_mini'), str(tmp_path / 'out')
    assert run_tool(
        'dataset_converters/coco14', root, '--splits', 'train2017', 'val2017',
        '--out-dir', out, '--num-workers', 1) is None
    assert ('train2017: 48, val2017: 48, written: 96'
            in capsys.readouterr().out)
    api = COCO(osp.join(root, 'annotations', 'instances_val2017.json'))
    numbers = {category: i for i, category in enumerate(IDS, start=1)}
    for image in api.loadImgs(api.getImgIds())[:12]:
        mask = read_mask(osp.join(
            out, 'SegmentationClass', 'val2017',
            image['file_name'][:-4] + '.png'))
        claims = np.zeros((81, *mask.shape), bool)
        for entry in api.imgToAnns[image['id']]:
            claims[numbers[entry['category_id']]] |= api.annToMask(
                entry).astype(bool)
        # An object wherever one was drawn, and only what was drawn there.
        np.testing.assert_array_equal(mask > 0, claims.any(0))
        claims[0] = ~claims.any(0)
        assert np.take_along_axis(claims, mask[None].astype(int), 0).all()


def tiny_config(name, coco, tmp_path):
    """A config as it stands, but for a small network and a short run."""
    convert(coco)
    text = str(tmp_path / 'text.npz')
    np.savez(text, names=list(COCO80), embeddings=np.eye(80, 90),
             model='test', prompt='{}')
    options = dict(data_root=coco, pretrained='')
    masks = osp.join(coco, 'SegmentationClass', 'train2014')
    if name == 'mmct_coco':
        options['text_embeddings'] = text
    if name.startswith('deeplab'):
        options['pseudo_masks'] = masks
    cfg = load_config(osp.join(ROOT, 'configs', f'{name}.py'), options,
                      str(tmp_path / 'work'))
    if name.startswith('deeplab'):
        cfg.model.backbone = dict(type='TokenViT', out_indices=(0, 1, 2))
        cfg.model.data_preprocessor.size = (64, 64)
    cfg.model.backbone.arch = dict(embed_dims=32, num_layers=12, num_heads=2,
                                   feedforward_channels=32)
    cfg.model.backbone.pretrained = None
    for loader in (cfg.train_dataloader, cfg.val_dataloader,
                   cfg.get('test_dataloader', {})):
        loader.update(num_workers=0, persistent_workers=False, batch_size=1)
    cfg.train_dataloader.batch_size = 2
    return cfg


def test_mmct_trains_on_coco(coco, tmp_path):
    cfg = tiny_config('mmct_coco', coco, tmp_path)
    cfg.train_cfg.max_epochs = 1
    runner = train(cfg)
    assert runner.iter == 1
    assert runner.model.backbone.visual_tokens.shape == (1, 80, 32)
    assert runner.message_hub.get_scalar('val/multi-label/mAP').current() >= 0


def test_toco_trains_on_coco(coco, tmp_path):
    cfg = tiny_config('toco_coco', coco, tmp_path)
    cfg.train_cfg.update(max_iters=1, val_interval=1)
    cfg.custom_hooks = cfg.custom_hooks[:1]  # all losses from the start
    cfg.model.backbone.arch.num_layers = 3
    cfg.model.projection = dict(hidden_channels=16, out_channels=8)
    cfg.model.decode_head.channels = 16
    cfg.model.test_cfg.scales = (1.0, )
    runner = train(cfg)
    assert runner.model.decode_head.num_classes == 81
    scores = runner.message_hub.log_scalars
    for name in ('loss_ptc', 'loss_ctc', 'loss_seg', 'loss_energy'):
        assert np.isfinite(scores[f'train/{name}'].current())
    for field in ('cam', 'aux_cam', 'seg'):
        assert 0 <= scores[f'val/{field}/mIoU'].current() <= 100


def test_segmentor_trains_on_pseudo_masks_of_coco(coco, tmp_path):
    cfg = tiny_config('deeplabv1_r38d_coco', coco, tmp_path)
    assert cfg.model.decode_head.num_classes == 81
    pipeline = cfg.train_dataloader.dataset.pipeline
    [resize] = [step for step in pipeline if 'Resize' in step.type]
    assert (resize.scale, resize.ratio_range) == ((640, 640), (0.7, 1.3))
    cfg.model.decode_head.update(in_channels=32, channels=16, dilation=2)
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    runner = train(cfg)
    assert runner.iter == 1
    assert runner.message_hub.get_scalar('val/mIoU').current() >= 0


def test_stage_on_coco_differs_from_voc_only_where_it_has_to():
    def load(name):
        return load_config(osp.join(ROOT, 'configs', f'{name}.py'))

    for name in ('deeplabv1_r38d', 'r38d_cls'):
        coco, voc = load(f'{name}_coco'), load(f'{name}_voc')
        assert coco.train_cfg == voc.train_cfg
        assert coco.optim_wrapper == voc.optim_wrapper
        assert coco.param_scheduler == voc.param_scheduler
        loaders = coco.train_dataloader, voc.train_dataloader
        assert loaders[0].batch_size == loaders[1].batch_size
        for mine, theirs in zip(*(x.dataset.pipeline for x in loaders)):
            assert mine == theirs or mine.type == 'mmseg.RandomResize'
        assert 'VOC' not in coco.pretty_text
    assert coco.model.num_classes == 80
    assert load('deeplabv1_r38d_coco').model.backbone.pretrained == (
        'work_dirs/r38d_cls_coco/epoch_15.pth')


def test_published_numbers_of_toco(tmp_path):
    cfg = load_config(osp.join(ROOT, 'configs', 'toco_coco.py'))
    voc = load_config(osp.join(ROOT, 'configs', 'toco_voc.py'))
    assert cfg.train_cfg.max_iters == 80000
    _, [schedule] = build_schedules(cfg, tmp_path)
    assert schedule.max_iters == 80000
    assert cfg.train_dataloader.batch_size == 8
    assert cfg.model.thresholds == (0.25, 0.65)
    assert cfg.model.loss_weights == voc.model.loss_weights
    late = {}
    for hook in cfg.custom_hooks[1:]:
        late.update(hook.weights)
    weights = dict(cfg.model.loss_weights)
    assert late == weights  # none is switched on with another value


def test_sizes_with_a_point(coco):
    content = instances('train2014', 9)
    for image in content['images']:
        image.update(height=float(HEIGHT), width=float(WIDTH))
    content['annotations'][3]['segmentation']['size'] = [40.0, 60.0]
    write_instances(coco, 'train2014', content)
    assert convert(coco)['written'] == 4
    assert CUP in read_mask(mask_path(coco, 'train2014', 10))


@pytest.mark.parametrize('height, width', [
    (10 ** 6, 10 ** 6), (0, 60), (40.5, 60), ('40', 60), (None, 60)])
def test_sizes_that_no_photo_has(coco, height, width):
    content = instances('train2014', 9)
    content['images'][0].update(height=height, width=width)
    write_instances(coco, 'train2014', content)
    message = problems(coco)
    assert f'000000000009.jpg: height {height!r} and width {width!r}' in (
        message)
    assert 'problem(s)' in message and message.count('\n') <= 2


def test_two_images_of_one_stem(coco):
    content = instances('train2014', 9)
    name = content['images'][0]['file_name']
    content['images'].append(dict(
        content['images'][0], id=99, file_name=name[:-4] + '.png'))
    write_instances(coco, 'train2014', content)
    assert f'images {name} and {name[:-4]}.png have one name' in problems(coco)


@pytest.mark.parametrize('outline', [
    dict(size=3, counts=[]), dict(size=[], counts=[]),
    dict(size=[HEIGHT, WIDTH], counts=['x']),
    dict(size=[HEIGHT, WIDTH], counts=7),
    dict(size=[HEIGHT, WIDTH], counts='o' * 10 ** 6),
    [[10 ** 400] * 6], [[[1, 2]] * 6], 5, 'x'])
def test_hostile_outlines_are_named(coco, outline):
    content = instances('train2014', 9)
    content['annotations'][3]['segmentation'] = outline
    write_instances(coco, 'train2014', content)
    assert 'annotation 4 of COCO_train2014_000000000010.jpg: ' in (
        problems(coco))


@pytest.mark.parametrize('image_id, category_id', [
    ('9', 1), (9, '1'), (None, 1), ([9], 1), (9, {})])
def test_ids_of_a_wrong_type(coco, image_id, category_id):
    content = instances('train2014', 9)
    content['annotations'].append(dict(
        id=5, image_id=image_id, category_id=category_id))
    write_instances(coco, 'train2014', content)
    assert 'annotation 5' in problems(coco)
