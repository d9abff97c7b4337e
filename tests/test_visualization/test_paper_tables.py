"""Tables as papers print them."""
import pytest

from mmwsss.visualization.paper_tables import (
    TableRow,
    latex_table,
    markdown_table,
)

ROWS = [TableRow('A & B', 'ViT_S', dict(val=70.04, test=71.), 'README'),
        TableRow('ours', values=dict(val=69.96, seed=None))]


def cells(line):
    return [cell.strip() for cell in line.strip('|').split('|')]


def test_markdown():
    assert markdown_table(['seed', 'val', 'test'], ROWS) == '''\
| method | backbone | seed | val | test |
| --- | --- | ---: | ---: | ---: |
| A & B | ViT_S | - | **70.0** | **71.0** |
| ours | - | - | **70.0** | - |

Published rows:

* A & B, ViT_S: README.
'''


def test_latex():
    assert latex_table(['val', 'test'], ROWS) == r'''% A & B, ViT_S: README
\begin{tabular}{llrr}
\toprule
method & backbone & val & test \\
\midrule
A \& B & ViT\_S & \textbf{70.0} & \textbf{71.0} \\
\midrule
ours & - & \textbf{70.0} & - \\
\bottomrule
\end{tabular}
'''


def test_transposed():
    lines = markdown_table(['val', 'test'], ROWS, True).splitlines()
    assert cells(lines[0]) == ['', 'A & B, ViT_S', 'ours']
    assert cells(lines[2]) == ['val', '**70.0**', '**70.0**']
    assert cells(lines[3]) == ['test', '**71.0**', '-']


@pytest.mark.parametrize('transposed', [False, True])
@pytest.mark.parametrize('name, markdown, latex', [
    ('a|b', r'a\|b', 'a|b'), ('x^2', 'x^2', r'x\textasciicircum{}2'),
    ('~', '~', r'\textasciitilde{}'),
    (r'\{', r'\{', r'\textbackslash{}\{')])
def test_names_of_any_signs(name, markdown, latex, transposed):
    rows = [TableRow(name, values={name: 1.})]
    for shown, table in ((markdown, markdown_table), (latex, latex_table)):
        lines = table([name], rows, transposed).splitlines()
        assert sum(line.count(shown) for line in lines) == 2, lines
