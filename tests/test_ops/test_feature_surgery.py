"""Evidence of texts without what they share, and attributes of classes."""
import pytest
import torch
from clip_nets import CLIPFile
from parity_files import close
from torch.nn import functional as F

from mmwsss.ops import min_max
from mmwsss.ops.feature_surgery import attribute_prototypes, feature_surgery


@pytest.fixture(scope='module')
def file(test_data):
    return CLIPFile(test_data('parity', 'excel_maps.npz'))


@pytest.mark.parametrize('kind, text', [('all', 'tse/text_out'),
                                        ('plain', 'text')])
def test_surgery_parity(file, kind, text):
    """With and without attributes; scaled over the tokens."""
    text = file[text].t() if kind == 'all' else file[text]
    got = feature_surgery(file['svc/tokens_norm'], text)
    got = min_max(got.transpose(1, 2)[..., None])[..., 0].transpose(1, 2)
    close(got, file[f'surgery/map_{kind}_text_with_cls'])


def test_attributes_parity(file):
    classes = len(file['tse/class_flag'])
    got = attribute_prototypes(
        file['text'][:classes], file['tse/centers'].t(),
        file.config['tse_drop_fraction'])
    want = file['tse/text_out'].t()
    close(got, want[:classes])
    # The background words are as they were.
    close(file['text'][classes:], want[classes:])


def test_surgery_the_long_way():
    tokens, text = torch.rand(2, 5, 8), F.normalize(torch.rand(3, 8), dim=-1)
    got = feature_surgery(tokens, text)
    for b in range(2):
        p = (2 * text @ tokens[b, 0]).softmax(0)
        for i in range(5):
            each = torch.stack([p[t] / p.mean() * (tokens[b, i] @ text[t])
                                for t in range(3)])
            close(got[b, i], each - sum(each) / 3)


def test_what_all_texts_share_is_taken_away():
    got = feature_surgery(torch.rand(2, 5, 8), torch.rand(4, 8))
    torch.testing.assert_close(got.sum(-1), torch.zeros(2, 5), atol=1e-5,
                               rtol=0)


# As published, from 1 - (1 - drop), which is a little less than drop.
@pytest.mark.parametrize('centers, left_out', [(11, 1), (25, 2), (30, 2),
                                               (112, 11), (224, 22), (5, 0)])
def test_centres_that_agree_least_are_left_out(centers, left_out):
    points = F.normalize(torch.randn(centers, 16), dim=-1)
    text = F.normalize(torch.randn(1, 16), dim=-1)
    score = text @ points.t()
    kept = score.argsort(1)[0, left_out:]
    want = score[0, kept].softmax(0) @ points[kept] + text[0]
    close(attribute_prototypes(text, points)[0], F.normalize(want, dim=0))
    assert attribute_prototypes(text, points).norm().item() == (
        pytest.approx(1))
