#!/usr/bin/env python
"""Complete a download of PASCAL VOC 2012 with SBD's masks and labels.

Example:
    python tools/dataset_converters/voc12.py data/VOCdevkit/VOC2012 \
        --sbd data/benchmark_RELEASE
"""
import argparse

from mmwsss import preparation
from mmwsss.apis.command_line import Parser, run


def parse_args() -> argparse.Namespace:
    """The options."""
    parser = Parser(
        description='Check VOC 2012, write SegmentationClassAug, '
        'train_aug.txt and cls_labels.npy into it. What is there is kept.')
    parser.add_argument('root', help='the folder VOCdevkit/VOC2012')
    masks = parser.add_mutually_exclusive_group()
    masks.add_argument('--sbd', metavar='DIR',
                       help='where SBD (benchmark_RELEASE) was unpacked')
    masks.add_argument('--aug-zip', metavar='FILE',
                       help='the ready SegmentationClassAug.zip instead')
    parser.add_argument('--subset', action='store_true',
                        help='the folder holds a part of VOC: accept other '
                        "numbers of images than the papers'")
    return parser.parse_args()


def main() -> None:
    """Parse, convert, say what there is."""
    options = vars(parse_args())
    counts = preparation.convert_voc12(**options)
    print(', '.join(f'{name}: {count}' for name, count in counts.items()))
    if 'test' not in counts:
        print("no test.txt: VOC's test set is a download of its own, needed "
              'for its evaluation server only')


if __name__ == '__main__':
    run(main)
