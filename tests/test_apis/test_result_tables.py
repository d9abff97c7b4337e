"""The papers' tables from result files and published rows."""
import json
import os
import re

import numpy as np
import pytest
from command_lines import run_tool

from mmwsss.apis import evaluate_pseudo_labels
from mmwsss.apis.result_tables import (
    DATASETS,
    read_published,
    write_tables,
)
from mmwsss.datasets.class_prompts import COCO80, VOC12
from mmwsss.files.masks import write_mask
from mmwsss.problems import ConfigError, DataError


def cells(line):
    return [cell.strip() for cell in line.strip('|').split('|')]


@pytest.mark.parametrize('dataset', DATASETS)
def test_published_rows_name_their_source_and_add_up(dataset):
    entries = read_published(dataset)
    assert entries
    names = ('background', *dict(voc12=VOC12, coco14=COCO80)[dataset])
    for entry in entries:
        assert entry['source'] and entry['scores']
        assert set(entry['scores']) <= {'seed', 'mask', 'val', 'test'}
        assert all(0 < value < 100 for value in entry['scores'].values())
        for column, scores in entry.get('IoU', {}).items():
            assert tuple(scores) == names
            # A digit that was copied wrongly would show in the mean.
            mean, shown = np.mean(list(scores.values())), entry['scores']
            if 'the mean as printed' in entry['source']:
                assert f'its classes give {mean:.1f}' in entry['source']
                continue
            printed = 'log' not in entry['method']  # to one digit
            assert mean == pytest.approx(shown[column],
                                         abs=0.06 if printed else 1e-3)


@pytest.mark.parametrize('table, columns', [
    ('mmct_supplement_table_1', ('seed', 'mask')),
    ('mmct_supplement_table_2', ('val', 'test')),
    ('toco_supplement_table_3', ('val', )),
])
def test_the_rows_of_the_supplements_are_there(test_data, table, columns):
    """As printed; names may be longer here, and ToCo's are its README's."""
    with open(test_data('papers', 'seed_tables.json')) as file:
        rows = json.load(file)[table]['rows']
    quoted = read_published('voc12')
    for row in rows:
        name = row['method'].split(' (')[0].split(',')[0]
        wanted = {column: row[column] for column in columns if column in row}
        if not wanted:
            wanted = {row.get('split', 'val'): row['mIoU']}
        found = [entry for entry in quoted if name in entry['method'] and all(
            entry['scores'].get(c) == value for c, value in wanted.items())]
        assert found, row['method']
        numbers = [value for key, value in row.items()
                   if isinstance(value, float) and key not in (
                       'mIoU', 'seed', 'mask')]
        if numbers:
            [column] = wanted
            assert any(list(entry['IoU'][column].values()) == numbers
                       for entry in found if 'IoU' in entry)


def test_the_rows_of_coco_are_there(test_data):
    with open(test_data('papers', 'seed_tables.json')) as file:
        rows = json.load(file)['mmct_supplement_table_3']['rows']
    quoted = {entry['method']: entry for entry in read_published('coco14')
              if 'IoU' in entry}
    for method in set(rows[0]) - {'class'}:
        entry = quoted[method]
        assert [*entry['IoU']['val'].values(), entry['scores']['val']] == [
            row[method] for row in rows]


def test_the_overview_holds_exactly_the_quoted_rows(tmp_path):
    text = write_tables([], str(tmp_path))
    lines = [cells(line) for line in text.splitlines()
             if line.startswith('|')]
    assert lines[0] == ['method', 'backbone', 'seed', 'mask', 'val', 'test']
    shown = [[re.sub(r'\*', '', cell) for cell in line] for line in lines[2:]]
    assert shown == [
        [entry['method'], entry['backbone'] or '-',
         *(f'{entry["scores"][c]:.1f}' if c in entry['scores'] else '-'
           for c in ('seed', 'mask', 'val', 'test'))]
        for entry in read_published('voc12')]
    assert ['ToCo', 'ViT-B', '-', '-', '71.1', '72.2'] in shown
    # MMCT is the best of each column; ToCo reaches the same on test.
    bold = [line[0] for line in lines if line[5] == '**72.2**']
    assert bold == ['MMCT', 'ToCo'] and text.count('**') == 2 * 5
    for entry in read_published('voc12'):
        assert entry['source'] in text
    # The published log's numbers, by class.
    text = write_tables([], str(tmp_path), per_class=['val'])
    by_class = (tmp_path / 'per_class_val.md').read_text().splitlines()
    [log] = [line for line in by_class if 'ToCo (log) | ViT-B' in line]
    assert cells(log)[:5] == ['ToCo (log)', 'ViT-B', '90.2', '77.3', '43.5']
    assert cells(by_class[0])[-1] == 'mIoU' and '69.2' in log


def make_results(folder):
    """Files as our tools write them."""
    palette = [[0, 0, 0], [255, 0, 0], [0, 0, 255]]
    mask = np.array([[0, 1, 1, 0], [0, 0, 1, 0]])
    write_mask(str(folder / 'masks' / 'a.png'), mask, palette)
    evaluate_pseudo_labels(str(folder / 'masks'), str(folder / 'masks'),
                           ('Dining table', 'dog'), out_dir=str(folder))
    for name, content in (
            ('scores', dict(best_mIoU=61.234, threshold=[0.3, 0.5])),
            ('test', dict(mIoU=50.06, IoU=dict(background=80.,
                                               diningtable=20.12)))):
        (folder / f'{name}.json').write_text(json.dumps(content))
    return [('MMCT', [f'seed={folder}/scores.json',
                      f'mask={folder}/evaluation.json',
                      f'val={folder}/test.json']),
            ('other', [f'val={folder}/evaluation.json',
                       f'ignored={folder}/evaluation.json:ignored'])]


def test_our_files(tmp_path):
    text = write_tables(make_results(tmp_path), str(tmp_path / 'out'), None,
                        ['val'])
    overview, by_class = text.split('per_class_val')
    lines = [cells(line) for line in overview.splitlines()
             if line.startswith('|')]
    assert lines[0][2:] == ['seed', 'mask', 'val', 'ignored']
    assert lines[2] == ['MMCT', '-', '**61.2**', '**100.0**', '50.1', '-']
    assert lines[3] == ['other', '-', '-', '-', '**100.0**', '**0.0**']
    lines = [cells(line) for line in by_class.splitlines()
             if line.startswith('|')]
    # One column for a class that two files spell differently.
    assert lines[0][2:] == ['background', 'diningtable', 'dog', 'mIoU']
    assert lines[2][2:] == ['80.0', '20.1', '-', '50.1']
    assert lines[3][2:] == ['**100.0**', '**100.0**', '-', '**100.0**']
    assert sorted(os.listdir(tmp_path / 'out')) == [
        'overview.md', 'overview.tex', 'per_class_val.md',
        'per_class_val.tex']


@pytest.mark.parametrize('content, key, message', [
    ('{"mIoU": 5', '', 'r.json: not valid JSON'),
    ('[1]', '', 'r.json: not a result file'),
    ('{"miou": 5}', '', "r.json: unknown score 'mIoU' .known: miou"),
    ('{"mIoU": "5"}', '', "r.json: 'mIoU' is '5', not a number"),
    ('{"mIoU": 5}', ':PxAP', "r.json: unknown score 'PxAP'"),
    (None, '', 'r.json: cannot be read'),
])
def test_bad_files_are_named(tmp_path, content, key, message):
    if content is not None:
        (tmp_path / 'r.json').write_text(content)
    with pytest.raises(DataError, match=message):
        write_tables([('x', [f'val={tmp_path}/r.json{key}'])],
                     str(tmp_path / 'o'))


def test_bad_requests(tmp_path):
    (tmp_path / 'r.json').write_text('{"mIoU": 5}')
    good = [('x', [f'val={tmp_path}/r.json'])]
    for rows, options, error, message in (
            ([('x', ['val'])], {}, ConfigError, 'give COLUMN=FILE'),
            ([('x', [])], {}, ConfigError, 'give COLUMN=FILE'),
            ([], dict(dataset=None), ConfigError, 'no rows'),
            ([], dict(dataset='voc'), ConfigError, 'unknown data set'),
            (good, dict(per_class=['mask']), ConfigError, 'no row has a file'),
            (good, dict(per_class=['val']), DataError, "no 'IoU' by class")):
        with pytest.raises(error, match=message):
            write_tables(rows, str(tmp_path / 'o'), **options)


def test_command_line(tmp_path):
    (tmp_path / 'r.json').write_text('{"mIoU": 5')
    message = run_tool('analysis/table', '--row', 'MMCT',
                       f'val={tmp_path}/r.json', '--out-dir', tmp_path / 'o')
    assert message.startswith('error: ') and '\n' not in message
    assert 'r.json: not valid JSON' in message
