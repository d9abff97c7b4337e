#!/usr/bin/env python
r"""The papers' figure: input, maps, masks and truth of chosen photos.

Example:
    tools/analysis/figure.py work_dirs/demo/pseudo_val work_dirs/demo/test \
        --ids val_00000 val_00017 --titles "pseudo masks" segmentor \
        --out figure.pdf
"""

from mmwsss import apis
from mmwsss.apis.command_line import Parser, run


def main() -> None:
    """Parse, draw, print where."""
    parser = Parser(
        description='Draw chosen photos as papers show them: input, maps, '
        'masks with the IoU of each class (without true masks its share '
        'of the photo), truth where there is any, and the colours of the '
        'classes.')
    parser.add_argument('folders', nargs='+', metavar='DIR',
                        help='a folder of one stage, with masks, e.g. '
                        'work_dirs/demo/pseudo_val; others of the same '
                        'photos stand beside it')
    parser.add_argument('--ids', nargs='+', default=[], metavar='ID',
                        help='names of photos without extension; default: '
                        'four with the median IoU')
    parser.add_argument('--titles', nargs='+', default=[], metavar='TEXT',
                        help='what stands above the masks of each folder')
    parser.add_argument('--out', default='figure.pdf', metavar='FILE',
                        help='.pdf, .png or .webp; default: figure.pdf')
    args = parser.parse_args()
    apis.write_figure(args.folders, args.ids, args.out, args.titles)
    print(args.out)


if __name__ == '__main__':
    run(main)
