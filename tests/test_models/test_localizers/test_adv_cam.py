"""AdvCAM: climbing towards a class, all pairs at once."""
import pytest
import torch
from command_lines import run_tool
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample
from shapes import train_losses, write_config

from mmwsss.files.maps import read_map
from mmwsss.models.localizers import AdvCAM, CAMLocalizer

CLASSES = 3
SETTINGS = dict(climb_steps=3, climb_size=0.05, restraint=0.2,
                restraint_threshold=0.5)


def localizer(kind=AdvCAM, **test_cfg):
    """With a tiny network of timm's; the same weights every time."""
    torch.manual_seed(0)
    model = kind(dict(type='TIMMTaps', model_name='test_efficientnet'),
                 dict(type='mmseg.SegDataPreProcessor'), CLASSES,
                 test_cfg=dict(SETTINGS, flip=False, **test_cfg))
    model.classifier.weight.data.normal_()
    return model.eval()


def samples(*labels):
    """One sample for each list of classes."""
    result = []
    for classes in labels:
        onehot = torch.zeros(CLASSES)
        onehot[list(classes)] = 1
        result.append(SegDataSample(
            gt_label=LabelData(label_onehot=onehot)))
    return result


@pytest.fixture
def images():
    """Normalised photos, (3, 3, 64, 96)."""
    return torch.randn(3, 3, 64, 96,
                       generator=torch.Generator().manual_seed(1))


LABELS = ([0, 2], [1], [])


def plain_loop(model, image, c):
    """One image and one class, written out from the paper's equations."""
    options = model.climb
    x, low, high = image[None], image.min(), image.max()
    total, start = 0, None
    for _ in range(options['climb_steps'] + 1):
        x = x.detach().requires_grad_()
        responses = model.classifier(model.backbone(x)[-1])[0]  # (C, h, w)
        own = responses[c].relu()
        total = total + own.detach()
        start = own.detach() if start is None else start
        scores = responses.mean((1, 2))
        lit = own.detach() / own.max().detach() > options[
            'restraint_threshold']
        objective = scores[c] - sum(
            scores[k] for k in range(CLASSES) if k != c)
        objective = objective - options['restraint'] * (
            (own - start).abs() * lit).sum()
        objective.backward()
        x = (x.detach() + options['climb_size'] * x.grad
             / x.grad.abs().max()).clamp(low, high)
    return total


def test_it_is_what_a_plain_loop_makes(images):
    model = localizer()
    _, maps = model.logits_and_maps(images, samples(*LABELS))
    for i, classes in enumerate(LABELS):
        for c in range(CLASSES):
            if c in classes:
                torch.testing.assert_close(
                    maps[i, c], plain_loop(model, images[i], c), rtol=1e-3,
                    atol=1e-4)
            else:
                assert not maps[i, c].any()


def test_without_steps_it_is_cam(images):
    plain = localizer(CAMLocalizer)
    model = localizer()
    model.climb['climb_steps'] = 0
    data = samples(*LABELS)
    for one, other in zip(plain.localize(images, data),
                          model.localize(images, data)):
        torch.testing.assert_close(one, other)
    # And without labels, whatever the steps.
    torch.testing.assert_close(localizer().class_maps(images),
                               plain.class_maps(images))


def test_logits_are_those_of_the_images_as_they_are(images):
    logits, _ = localizer().logits_and_maps(images, samples(*LABELS))
    torch.testing.assert_close(logits, localizer().classify(images))


@pytest.mark.parametrize('c', range(CLASSES))
def test_a_step_raises_the_score_of_the_class(images, c):
    model = localizer()
    model.climb.update(restraint=0., climb_size=0.01)
    classes = torch.full((3,), c)
    scores = []

    def remember(found, *args):
        score, maps = AdvCAM.objective(model, found, *args)
        scores.append(score.detach())
        return score, maps

    model.objective = remember
    model._climb(images, classes)
    assert (scores[1] > scores[0]).all() and (scores[2] > scores[1]).all()


def test_the_restraint_keeps_lit_regions_from_growing(images):
    def growth(restraint):
        model = localizer()
        model.climb.update(restraint=restraint, climb_steps=6)
        classes = torch.zeros(3, dtype=torch.long)
        start = model.class_maps(images)[:, 0].detach()
        total = model._climb(images, classes) / 7
        lit = start > 0.5 * start.amax((1, 2), keepdim=True)
        return ((total - start).abs() * lit).sum()

    assert growth(20.) < 0.5 * growth(0.)


def test_an_image_does_not_feel_its_neighbours(images):
    model = localizer()
    together = model.localize(images, samples(*LABELS))
    for i, classes in enumerate(LABELS):
        [alone] = model.localize(images[i:i + 1], samples(classes))
        torch.testing.assert_close(alone, together[i], rtol=1e-3, atol=1e-4)


def test_maps_are_summed_in_full_precision(images):
    model = localizer()
    data = samples(*LABELS)
    with torch.autocast('cpu', torch.bfloat16):
        maps = model.class_maps(images, data)
    assert maps.dtype == torch.float32 and maps.isfinite().all()
    exact = model.class_maps(images, data)
    assert (maps - exact).abs().mean() < 0.1 * exact.abs().mean()


def test_nothing_is_left_on_the_weights(images):
    model = localizer()
    maps = model.localize(images, samples(*LABELS))
    assert not any(one.requires_grad for one in maps)
    assert all(p.grad is None for p in model.parameters())


def test_weights_of_a_cam_load():
    model = localizer()
    model.load_state_dict(localizer(CAMLocalizer).state_dict())


def test_negative_steps_are_refused():
    with pytest.raises(ValueError, match='climb_steps=-1'):
        AdvCAM(dict(type='TIMMTaps', model_name='test_efficientnet'),
               dict(type='mmseg.SegDataPreProcessor'), 2,
               test_cfg=dict(climb_steps=-1))


def test_a_cam_trained_by_config_makes_adv_cams(shapes, tmp_path):
    """The config's promise: one checkpoint, two kinds of maps."""
    cam = write_config(tmp_path / 'cam.py', CONFIG.replace(
        'NAME', 'cam_efficientnet-lite0_voc'), shapes)
    losses = train_losses(cam, tmp_path / 'run')
    assert losses[-1]['loss_cls'] < losses[0]['loss_cls']
    adv = write_config(tmp_path / 'adv.py', CONFIG.replace(
        'NAME', 'adv_cam_efficientnet-lite0_voc'), shapes)
    for name, config in (('cam', cam), ('adv', adv)):
        stopped = run_tool(
            'gen_pseudo', config, tmp_path / 'run' / 'epoch_3.pth',
            '--out-dir', tmp_path / name)
        assert not stopped
    maps = [read_map(next((tmp_path / name / 'maps').glob('*.npz')))
            for name in ('cam', 'adv')]
    assert maps[0].maps.shape == maps[1].maps.shape
    assert (maps[0].maps != maps[1].maps).any()


CONFIG = '''
_base_ = '{root}/configs/NAME.py'
data_root = {data_root!r}
pretrained = None
classes = dict(classes=('background', 'red', 'blue'),
               palette=[[0, 0, 0], [255, 0, 0], [0, 0, 255]])
model = dict(
    backbone=dict(model_name='test_efficientnet', pretrained=None),
    num_classes=2, data_preprocessor=dict(size=(48, 48)),
    test_cfg=dict(climb_steps=2))
dataset = dict(_delete_=True, type='ImageLevelDataset', data_root=data_root,
               metainfo=classes, ann_file='lists/train.txt',
               data_prefix=dict(img_path='JPEGImages'),
               label_source=dict(type='TableLabels', file='labels.csv'))
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    dataset=dict(pipeline=[
        dict(type='LoadPhoto'),
        dict(type='mmseg.RandomCrop', crop_size=(48, 48)),
        dict(type='PackImageLevelInputs')], **dataset))
val_dataloader = dict(
    num_workers=0, persistent_workers=False,
    dataset=dict(test_mode=True, pipeline={{{{_base_.localize_pipeline}}}},
                 **dataset))
localize_workers = 0
refine_workers = 0
optim_wrapper = dict(optimizer=dict(lr=1e-2))
train_cfg = dict(max_epochs=3)
'''
