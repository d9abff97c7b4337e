import json

import pytest

from mmwsss.files.result_classes import check_result_classes
from mmwsss.problems import DataError

MADE_FOR = ['background', 'red', 'blue']


@pytest.mark.parametrize('classes, shown', [
    (('background', 'blue', 'red'), 'from number 1 on: red, blue against blu'),
    (('background', 'red', 'cat'), 'from number 2 on: blue against cat'),
    (('background', 'red'), 'from number 2 on: blue against no more'),
    ((), 'from number 0 on')])
def test_other_classes_are_named(tmp_path, classes, shown):
    (tmp_path / 'photos.json').write_text(json.dumps(dict(classes=MADE_FOR)))
    for folder in ('masks', 'maps'):
        check_result_classes(str(tmp_path / folder), MADE_FOR)
        with pytest.raises(DataError, match=f'{folder}: made for 3 classes.*'
                           f'{shown}'):
            check_result_classes(str(tmp_path / folder), classes)


@pytest.mark.parametrize('content', [None, '[]', '{}', '{"classes": 3}'])
def test_folders_from_elsewhere_are_taken(tmp_path, content):
    if content is not None:
        (tmp_path / 'photos.json').write_text(content)
    check_result_classes(str(tmp_path / 'masks'), MADE_FOR)
