#!/usr/bin/env python
r"""Turn result files into the papers' tables, published rows above ours.

Example:
    tools/analysis/table.py --out-dir tables --per-class val \
        --row "MMCT, DeiT-tiny" \
            seed=work_dirs/mmct_deit-tiny_voc/pseudo/train/scores.json \
            val=work_dirs/deeplabv1_r38d_voc/test_scores.json
"""

from mmwsss import apis
from mmwsss.apis.command_line import Parser, run


def main() -> None:
    """Parse, write, print."""
    parser = Parser(
        description='Print the tables of result files, the published rows '
        'above; with --out-dir write them as Markdown and LaTeX (booktabs).')
    parser.add_argument('--row', nargs='+', action='append', default=[],
                        metavar=('NAME', 'COLUMN=FILE[:KEY]'),
                        help='a method and its result files; columns: seed, '
                        'mask, val, test or a name of your own; KEY defaults '
                        'to mIoU; may be repeated')
    parser.add_argument('--dataset', metavar='voc12|coco14|none',
                        default='voc12',
                        help='whose published rows to quote; default: '
                        'voc12')
    parser.add_argument('--per-class', nargs='+', default=[],
                        metavar='COLUMN', help='also tables by class')
    parser.add_argument('--transposed', action='store_true',
                        help='one line a class, not a method')
    parser.add_argument('--out-dir', help='where to write them, too; '
                        'default: they are printed only')
    args = parser.parse_args()
    print(apis.write_tables(
        [(name, files) for name, *files in args.row], args.out_dir,
        None if args.dataset == 'none' else args.dataset, args.per_class,
        args.transposed))
    if args.out_dir is not None:
        print(f'the same as .md and .tex is in {args.out_dir}')


if __name__ == '__main__':
    run(main)
