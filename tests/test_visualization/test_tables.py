"""Tables for the terminal."""
from mmwsss.visualization.tables import class_table


def test_absent_classes_are_no_part_of_the_mean():
    nan = float('nan')
    lines = class_table(('red', 'blue'), {
        'IoU': (50., nan), 'recall': (25., 75.)}, 'val').splitlines()
    rows = [[cell.strip() for cell in line.strip('|').split('|')]
            for line in lines if line.startswith('|')]
    assert rows == [['val'], ['class', 'IoU', 'recall'],
                    ['red', '50.00', '25.00'], ['blue', '–', '75.00'],
                    ['mean', '50.00', '50.00']]


def test_a_column_of_absent_classes():
    table = class_table(('red', ), {'IoU': (float('nan'), )})
    assert table.count('| – ') + table.count('|  – ') == 2
