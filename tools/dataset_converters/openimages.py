#!/usr/bin/env python
r"""Bring OpenImages30k into the layout that mmwsss reads.

Example:
    python tools/dataset_converters/openimages.py data/openimages30k \
        --metadata wsolevaluation/metadata/OpenImages \
        --images wsolevaluation/dataset/OpenImages \
        --class-names class-descriptions-boxable.csv
"""

from mmwsss import preparation
from mmwsss.apis.command_line import Parser, run

SPLITS = ('train', 'val', 'test')


def main() -> None:
    """Parse, convert."""
    parser = Parser(
        description='Write lists, labels, class names and merged masks of '
        'OpenImages30k. An interrupted run goes on when it is started again.')
    parser.add_argument('out_dir', help='folder to write to')
    parser.add_argument('--metadata', required=True, metavar='DIR',
                        help='published lists: DIR/{train,val,test}/*.txt')
    parser.add_argument('--images', required=True, metavar='DIR',
                        help='photos and masks: DIR/{train,val,test}/*/*')
    parser.add_argument('--class-names', required=True, metavar='FILE.csv',
                        help="OpenImages' class-descriptions-boxable.csv")
    parser.add_argument('--splits', nargs='+', choices=SPLITS, default=SPLITS,
                        help='default: all')
    args = parser.parse_args()
    preparation.convert_openimages(args.metadata, args.images,
                                   args.class_names, args.out_dir,
                                   args.splits)


if __name__ == '__main__':
    run(main)
