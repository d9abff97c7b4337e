"""Maps of a frozen CLIP, from a photo to the end."""
import pytest
import torch
from clip_nets import CLIPFile, small_vit, write_text
from parity_files import close
from single_stage_nets import PREPROCESSOR, sample
from torch.nn import functional as F

from mmwsss.models import CLIPLocalizer
from mmwsss.ops import min_max


def localizer(folder, kind, vit, text, classes, spread=None, **evidence):
    """A CLIPLocalizer with the weights of an encoder."""
    words = [f'word{i}' for i in range(len(text) - classes)]
    file = write_text(folder / 'text.npz', text,
                      [f'class{i}' for i in range(classes)], words)
    layer = vit.layers[0]
    model = CLIPLocalizer(
        dict(type='CLIPViT', arch=dict(
            embed_dims=vit.embed_dims, num_layers=len(vit.layers),
            num_heads=layer.attn.num_heads,
            feedforward_channels=layer.ffn.feedforward_channels),
            img_size=vit.img_size[0], out_channels=vit.out_channels,
            patch_size=vit.patch_embed.projection.stride[0]),
        PREPROCESSOR,
        dict(type=kind, text_embeddings=file, background=words, **evidence),
        classes, spread, dict(scales=(1., ), flip=False))
    model.backbone.load_state_dict(vit.state_dict())
    return model.eval()


def test_maps_from_the_photo_parity(test_data, tmp_path):
    file = CLIPFile(test_data('parity', 'clip_es_cam.npz'))
    model = localizer(
        tmp_path, 'TextGradCAM', file.vit(),
        torch.cat([file['fg_text'], file['bg_text']]), len(file['fg_text']),
        dict(threshold=file.config['box_threshold'],
             layers=file.config['num_attn_layers']),
        scale=file['sd/logit_scale'].exp().item())
    for name in {key.split('/')[0] for key in file if '/image' in key}:
        image, labels = file[f'{name}/image'], file[f'{name}/labels']
        onehot = torch.zeros(model.num_classes)
        onehot[labels] = 1
        samples = [sample(onehot.tolist(), tuple(image.shape[1:]))]
        _, maps = model.logits_and_maps(image[None], samples)
        raw = file[f'{name}/cam_refined']
        low, high = (side(raw, dim=(1, 2), keepdim=True)
                     for side in (torch.amin, torch.amax))
        close(maps[0, labels] * (high - low) + low, raw, 1e-3)
        # The published scaling adds 1e-7.
        want = file[f'{name}/attn_highres']
        full = F.interpolate(maps[:, labels], want.shape[1:],
                             mode='bilinear')
        close(full[0] * (high - low), want * (high - low + 1e-7), 1e-3)
        got, = model.localize(image[None], samples)
        order = labels.argsort()
        same = F.interpolate(maps[:, labels[order]], image.shape[1:],
                             mode='bilinear')[0]
        torch.testing.assert_close(got, min_max(same), rtol=1e-4, atol=1e-5)


@pytest.fixture(params=['TextGradCAM', 'TextSurgery'])
def model(request, tmp_path):
    options = dict(num_layers=2) if request.param == 'TextSurgery' else {}
    return localizer(tmp_path, request.param, small_vit(),
                     torch.randn(6, 12), 4, dict(threshold=0.4, layers=2),
                     **options)


SAMPLES = [sample([0., 1, 0, 1], (32, 48)), sample([0., 0, 0, 0], (32, 48)),
           sample([1., 0, 0, 0], (32, 48))]


def test_every_image_has_the_maps_of_its_classes(model):
    found = model.localize(torch.randn(3, 3, 32, 48), SAMPLES)
    assert [maps.shape for maps in found] == [(2, 32, 48), (0, 32, 48),
                                              (1, 32, 48)]
    for maps in found:
        assert ((maps >= 0) & (maps <= 1)).all() and maps.isfinite().all()


def test_maps_of_one_image_do_not_depend_on_the_others(model):
    images = torch.randn(3, 3, 32, 48)
    together = model.localize(images, SAMPLES)
    for i in range(3):
        [alone] = model.localize(images[i:i + 1], SAMPLES[i:i + 1])
        torch.testing.assert_close(together[i], alone, rtol=1e-3, atol=1e-3)


def test_several_scales_and_the_mirror_image(model):
    image, samples = torch.randn(1, 3, 32, 48), SAMPLES[:1]
    [plain] = model.localize(image, samples)
    model.test_cfg.update(flip=True, scales=(1., 1.5))
    [more] = model.localize(image, samples)
    [mirrored] = model.localize(image.flip(-1), samples)
    torch.testing.assert_close(more, mirrored.flip(-1), rtol=1e-3, atol=1e-3)
    assert (more - plain).abs().max() > 1e-3


@pytest.mark.parametrize('size', [(32, 32), (40, 72), (8, 8)])
def test_scores_are_the_same_with_and_without_maps(model, size):
    images = torch.randn(2, 3, *size)
    samples = [sample([0., 1, 0, 1], size), sample([1., 0, 0, 0], size)]
    logits = model.classify(images, samples)
    assert logits.shape == (2, 4)
    found, _ = model.logits_and_maps(images, samples)
    torch.testing.assert_close(logits, found, rtol=1e-3, atol=1e-3)
    # Probabilities whose sum leaves something to the background.
    assert logits.sigmoid().sum(1).max() <= 1 + 1e-3
    for one in model.predict_maps(images, samples):
        assert one.pred_label.score.shape == (4, )


def test_without_labels_all_classes_have_maps(model):
    images = torch.randn(2, 3, 32, 48)
    _, maps = model.logits_and_maps(images)
    assert maps.shape == (2, 4, 4, 6) and maps.any()


def test_maps_that_do_not_spread(tmp_path):
    options = ('TextGradCAM', small_vit(), torch.randn(6, 12), 4)
    spread = localizer(tmp_path, *options, dict(threshold=0.4, layers=2))
    plain = localizer(tmp_path, *options)
    images = torch.randn(1, 3, 32, 48)
    features = plain.class_evidence.encode(plain.backbone, images)
    want, _ = plain.class_evidence(plain.backbone, features,
                                   torch.tensor([[0., 1, 0, 1]]))
    _, got = plain.logits_and_maps(images, SAMPLES[:1])
    close(got, want)
    _, other = spread.logits_and_maps(images, SAMPLES[:1])
    assert (other - got).abs().max() > 0.01


def test_it_has_nothing_to_learn(model):
    assert not [p for p in model.parameters() if p.requires_grad]
    with pytest.raises(NotImplementedError, match='tools/gen_pseudo.py'):
        model(torch.randn(1, 3, 32, 32), SAMPLES[:1], mode='loss')
