#!/usr/bin/env python
"""Write masks, lists and image-level labels of COCO 2014.

Example:
    python tools/dataset_converters/coco14.py data/coco2014
"""
import argparse

from mmwsss import preparation
from mmwsss.apis.command_line import Parser, at_least, run


def parse_args() -> argparse.Namespace:
    """The options."""
    parser = Parser(
        description='Draw the instance annotations of COCO as palette PNGs, '
        'and write lists and image-level labels. Masks that are there are '
        'kept. Needs pycocotools.')
    parser.add_argument('root', help='folder of COCO')
    parser.add_argument('--splits', nargs='+',
                        default=['train2014', 'val2014'],
                        metavar='NAME', help='default: %(default)s')
    parser.add_argument('--images', default='{split}', metavar='DIR',
                        help="a split's photos under ROOT; default: "
                        '%(default)s')
    parser.add_argument('--annotations', metavar='FILE',
                        default='annotations/instances_{split}.json',
                        help="a split's annotations under ROOT; default: "
                        '%(default)s')
    parser.add_argument('--out-dir', help='where to write; default: ROOT')
    parser.add_argument('--num-workers', type=at_least(0), metavar='N',
                        help='processes that draw; default: as many as CPU '
                        'cores')
    parser.add_argument('--subset', action='store_true',
                        help="the annotations are a part of COCO's: accept "
                        "other numbers of images than the papers'")
    parser.add_argument('--skip-bad-outlines', action='store_true',
                        help='leave objects whose polygons or run lengths '
                        'are not usable out of the masks')
    return parser.parse_args()


def main() -> None:
    """Parse, convert, say what there is."""
    options = vars(parse_args())
    counts = preparation.convert_coco14(**options)
    print(', '.join(f'{name}: {count}' for name, count in counts.items()))


if __name__ == '__main__':
    run(main)
