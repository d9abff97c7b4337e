"""Classes and background words as text embeddings."""
import numpy as np
import pytest
import torch
from clip_nets import CLIPFile, text_classes, write_text
from command_lines import logged
from parity_files import close

from mmwsss.datasets import VOC12ClsDataset
from mmwsss.models.heads.text_classes import TextClasses
from mmwsss.problems import DataError


@pytest.mark.parametrize('size', 'ab')
def test_probabilities_parity(test_data, tmp_path, size):
    file = CLIPFile(test_data('parity', 'clip_visual.npz'))
    text = file['text']
    scale = file['sd/logit_scale'].exp().item()
    for words in (0, 3):
        count = len(text) - words
        classes = text_classes(TextClasses, tmp_path / 'text.npz',
                               text[:count], text[count:])
        got = classes.probabilities(file[f'{size}/embed_patchmean'], scale)
        close(got, file[f'{size}/text_prob'][:, :count], 2e-4)
    vit = file.vit()
    tokens = vit.encode(file[f'{size}/image']).tokens[-1]
    got = classes.probabilities(vit.project(tokens)[:, 1:].mean(1), scale)
    close(got, file[f'{size}/text_prob_f32pos'][:, :count])


@pytest.fixture
def classes(tmp_path):
    return text_classes(TextClasses, tmp_path / 'text.npz',
                        torch.randn(4, 8), torch.randn(3, 8))


def test_embeddings_have_unit_length_and_classes_come_first(classes):
    assert classes.text.shape == (7, 8)
    torch.testing.assert_close(classes.text.norm(dim=1), torch.ones(7))
    assert torch.equal(classes.class_text, classes.text[:4])
    assert not list(classes.parameters())


def test_classes_and_words_share_one_softmax(classes):
    embedding = torch.randn(2, 8)
    got = classes.probabilities(embedding, 5.)
    cosines = torch.nn.functional.cosine_similarity(
        embedding[:, None], classes.text[None], dim=-1)
    close(got, (5 * cosines).softmax(1)[:, :4])


def test_classes_that_an_image_lacks_do_not_compete(classes):
    embedding = torch.randn(2, 8)
    onehot = torch.tensor([[1., 0, 1, 0], [0, 0, 0, 0]])
    got = classes.probabilities(embedding, 5., onehot)
    cosines = torch.nn.functional.cosine_similarity(
        embedding[0], classes.text, dim=-1)
    want = (5 * cosines[[0, 2, 4, 5, 6]]).softmax(0)
    close(got[0, [0, 2]], want[:2])
    assert not got[0, [1, 3]].any() and not got[1].any()


@pytest.mark.parametrize('scale', [1., 30., 1000.])
def test_log_odds_are_the_logits_of_the_probabilities(classes, scale):
    embedding = torch.randn(2, 8)
    onehot = torch.tensor([[1., 0, 1, 0], [0, 1, 1, 1]])
    chosen = torch.tensor([[0, 2], [3, 1]])
    for labels in (None, onehot):
        got = classes.log_odds(embedding, scale, chosen, labels)
        assert got.isfinite().all()
        want = classes.probabilities(embedding, scale, labels).gather(
            1, chosen)
        torch.testing.assert_close(got.sigmoid(), want, rtol=1e-3, atol=1e-5)
        if scale > 100:  # so sure that the probabilities say no more
            assert got.abs().max() > 90


def test_no_background_words_is_worth_a_warning(tmp_path):
    file = write_text(tmp_path / 'text.npz', torch.randn(2, 8), 'ab')
    with logged() as lines:
        TextClasses(2, file)
    [line] = [line for line in lines if 'no background words' in line]
    assert 'may count as the object' in line and '`background`' in line
    file = write_text(tmp_path / 'text.npz', torch.randn(3, 8), 'ab', 'c')
    with logged() as lines:
        TextClasses(2, file, ['c'])
    assert not lines


@pytest.mark.parametrize('names, message', [
    (['a', 'b', 'sky', 'grass'],
     "row 2 is 'sky', the background word there is 'grass'"),
    (['a', 'b', 'sky'], "3 classes, the data set has 2 and 2 background"),
    (['a', 'b', 'grass', 'sea'], "row 3 is 'sea', .* is 'sky'")])
def test_other_background_words_are_named(tmp_path, names, message):
    file = write_text(tmp_path / 'text.npz', np.eye(len(names)), names)
    with pytest.raises(DataError, match=message) as info:
        TextClasses(2, file, ['grass', 'sky'])
    assert file in str(info.value) and '\n' not in str(info.value)
    assert 'extract_text_embeddings.py --config CONFIG' in str(info.value)


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    file = str(tmp_path / 'text.npz')
    with pytest.raises((DataError, FileNotFoundError)) as info:
        TextClasses(2, file, ['sky'])
    assert file in str(info.value) and '\n' not in str(info.value)
    assert 'extract_text_embeddings.py --config CONFIG' in str(info.value)


def test_names_are_compared_with_those_of_the_data_set(tmp_path):
    names = list(VOC12ClsDataset.METAINFO['classes'][1:])
    file = write_text(tmp_path / 'text.npz', np.eye(21), names, ['sky'])
    TextClasses(20, file, ['sky'], 'VOC12ClsDataset')
    names[3], names[5] = names[5], names[3]
    write_text(file, np.eye(21), names, ['sky'])
    with pytest.raises(DataError, match="row 3 is 'bus', class 3"):
        TextClasses(20, file, ['sky'], 'VOC12ClsDataset')
