#!/usr/bin/env python
"""Write DigitScenes, the data set of the demo, to a folder.

Example:
    python tools/dataset_converters/digit_scenes.py data/digit_scenes
"""
import argparse

from mmwsss import preparation
from mmwsss.apis.command_line import Parser, run


def parse_args() -> argparse.Namespace:
    """The options."""
    parser = Parser(
        description='Write DigitScenes: scenes of real handwritten digits '
        'with image-level labels and masks, in the layout of VOC. A folder '
        'that is complete is used again.')
    parser.add_argument('root', help='folder to write to')
    parser.add_argument('--num-train', type=int, default=2000, metavar='N',
                        help='training scenes; default: %(default)s')
    parser.add_argument('--num-val', type=int, default=200, metavar='N',
                        help='validation scenes; default: %(default)s')
    parser.add_argument('--size', type=int, default=64, metavar='PIXELS',
                        help='height and width; default: %(default)s')
    parser.add_argument('--seed', type=int, default=0,
                        help='default: %(default)s')
    parser.add_argument('--force', action='store_true',
                        help='redo a folder that was made with other options')
    return parser.parse_args()


def main() -> None:
    """Parse, write."""
    preparation.write_digit_scenes(**vars(parse_args()))


if __name__ == '__main__':
    run(main)
