import os
import os.path as osp
import shutil

import numpy as np
import pytest
from tagged_photos import make_tagged_photos, tagged, write_tags

from mmwsss.apis.fingerprint import (
    changed_photos,
    fingerprint,
    photo_record,
    read_tagged_photos,
    write_lists,
)
from mmwsss.problems import DataError


@pytest.mark.parametrize('seed', range(4))
def test_counts_are_those_of_the_labels(seed):
    rng = np.random.default_rng(seed)
    labels = (rng.random((50, 4)) < 0.4).astype(np.float32)
    facts = fingerprint(tagged(labels))
    assert facts['photos'] == 50
    assert list(facts['classes'].values()) == labels.sum(0).tolist()
    for i in range(4):
        for j in range(i + 1, 4):
            both = int((labels[:, i] * labels[:, j]).sum())
            assert facts['pairs'].get(f'class{i} + class{j}', 0) == both


def hints(*args):
    return ' '.join(fingerprint(tagged(*args))['hints'])


def test_what_is_to_be_looked_at():
    labels = np.zeros((60, 3))
    labels[:30, 0] = labels[:12, 1] = labels[30:, 2] = 1
    text = hints(labels, ['dog', 'collar', 'cat'])
    assert "'collar' never occurs without 'dog'" in text
    assert "'dog' never" not in text and 'few photos' not in text
    assert "on few photos: 'class1' (2); some dozens" in hints(
        [[1, 0]] * 30 + [[0, 1]] * 2)
    assert "'class0' is on every photo" in hints([[1, 0]] * 15 + [[1, 1]] * 15)
    assert "'sheeps' (2 photo(s)) looks like 'sheep' misspelt" in hints(
        [[1, 0]] * 30 + [[0, 1]] * 2, ['sheep', 'sheeps'])


@pytest.mark.parametrize('name, other, counts, found', [
    ('hosre', 'horse', (1, 4), True), ('hosre', 'horse', (2, 5), True),
    ('Horse', 'horse', (4, 5), True), ('horse ', 'horse', (5, 5), True),
    ('horses', 'horse', (20, 25), False), ('cat', 'car', (4, 5), False)])
def test_names_that_look_like_another_one(name, other, counts, found):
    few, many = counts
    text = hints([[1, 0]] * many + [[0, 1]] * few, [other, name])
    assert (f'{name!r} ({few} photo(s)) looks like {other!r} misspelt'
            in text) is found


def test_copies_with_other_tags():
    digests = ['a', 'b', 'a', 'c', 'b']
    text = hints([[1, 0], [0, 1], [0, 1], [1, 1], [0, 1]], ['dog', 'cat'],
                 digests)
    assert '0.jpg and 2.jpg are the same photo, tagged dog and cat' in text
    assert '1.jpg and' not in text and '2 photo(s) are copies' in text


def test_reads_photos_and_tags(tmp_path):
    photos, labels = make_tagged_photos(tmp_path, count=7)
    shutil.copy(f'{photos}/b01.png', f'{photos}/copy.png')
    with open(labels, 'a') as file:
        file.write('copy.png,dog\n')
    found = read_tagged_photos(photos, labels)
    assert found.classes == ['background', 'dog', 'person']
    assert sorted(found.names) == sorted([
        'more/a00.jpg', 'b01.png', 'c02.JPG', 'more/a03.jpg', 'b04.png',
        'c05.JPG', 'more/a06.jpg', 'copy.png'])
    assert found.tags(found.names.index('c02.JPG')) == ['dog', 'person']
    assert found.sizes.tolist() == [[48, 64]] * 8
    assert 'b01.png and copy.png' in ' '.join(fingerprint(found)['hints'])
    held_out = np.arange(8) < 3
    lists = write_lists(found, held_out)
    assert lists['val.txt'].splitlines() == found.names[:3]
    assert lists['train.txt'].splitlines() == found.names[3:]


def test_no_photo_without_tags_and_no_tag_without_photo(tmp_path):
    photos, labels = make_tagged_photos(tmp_path, count=4)
    write_tags(labels, [('a00.jpg', 'dog'), ('b01.png', 'person'),
                        ('c02.JPG', 'dog'), ('d.jpg', 'dog')])
    with pytest.raises(DataError, match='no labels for image .*a03.jpg'):
        read_tagged_photos(photos, labels)
    with open(labels, 'a') as file:
        file.write('a03.jpg,dog\n')
    with pytest.raises(DataError, match="line 5: no photo 'd.jpg' in the "):
        read_tagged_photos(photos, labels)


def test_one_class_teaches_nothing_alone(tmp_path):
    photos, labels = make_tagged_photos(tmp_path, count=3, tags=(['dog'], ))
    with pytest.raises(DataError, match="every photo shows 'dog'"):
        read_tagged_photos(photos, labels)
    write_tags(labels, [('a00.jpg', 'dog'), ('b01.png', ''),
                        ('c02.JPG', 'dog')])
    with pytest.raises(DataError, match='no class at all'):
        read_tagged_photos(photos, labels)
    assert read_tagged_photos(photos, labels, True).labels.sum() == 2


@pytest.mark.parametrize('name', ['empty', 'nowhere'])
def test_no_photos(tmp_path, name):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'labels.csv').write_text('image,labels\na.jpg,dog\n')
    with pytest.raises(DataError, match=f'{name}.*no (photo|such folder)'):
        read_tagged_photos(str(tmp_path / name), str(tmp_path / 'labels.csv'))


def test_changes_are_named():
    before = photo_record(tagged([[1, 0], [0, 1], [1, 1]]))
    now = photo_record(tagged([[1, 0], [1, 0], [1, 1], [1, 0]],
                              digests=['0', '1', 'x', '3']))
    assert changed_photos(before, before) == []
    assert changed_photos(before, now) == [
        '1.jpg has other tags (class1 -> class0)', '2.jpg is another picture',
        '3.jpg is new']
    assert changed_photos(now, before)[-1] == '3.jpg is gone'


def test_a_folder_a_class(tmp_path):
    photos, _ = make_tagged_photos(tmp_path)
    shutil.rmtree(f'{photos}/more')
    for place, name in enumerate(sorted(os.listdir(photos))):
        folder = osp.join(photos, ('cat', 'dog', 'cat;dog')[place % 3])
        os.makedirs(folder, exist_ok=True)
        os.rename(osp.join(photos, name), osp.join(folder, name))
    found = read_tagged_photos(photos, photos)
    assert found.classes == ['background', 'cat', 'dog']
    for name, label in zip(found.names, found.labels.tolist()):
        tags = osp.dirname(name).split(';')
        assert label == ['cat' in tags, 'dog' in tags]
    other = tmp_path / 'other'
    other.mkdir()
    with pytest.raises(DataError, match='another folder than that of the'):
        read_tagged_photos(photos, str(other))


def test_a_folder_without_folders_names_no_class(tmp_path):
    photos, _ = make_tagged_photos(tmp_path)
    shutil.rmtree(f'{photos}/more')
    with pytest.raises(DataError, match='names no class; give a .csv'):
        read_tagged_photos(photos, photos)
