#!/usr/bin/env python
r"""Write segments without a class, for the refiner SegmentVote.

Example:
    python tools/extract_segments.py data/VOCdevkit/VOC2012/JPEGImages \
        --out data/segments
    python tools/extract_segments.py data/VOCdevkit/VOC2012/JPEGImages \
        --out data/sam_segments --method sam --model facebook/sam-vit-huge
"""
import argparse

from mmwsss import preparation
from mmwsss.apis.command_line import Parser, add_lenient, at_least, run

METHODS = ('felzenszwalb', 'slic', 'sam')


def parse_args() -> argparse.Namespace:
    """The options."""
    parser = Parser(
        description='Write segments of photos: superpixels (needs '
        'scikit-image) or those of a SAM (needs transformers). An interrupted '
        'run goes on where it stopped when it is started again.')
    parser.add_argument('photos', help='folder of photos')
    parser.add_argument('--list', metavar='FILE',
                        help='only these photos, one a line; names without '
                        'an extension will do')
    parser.add_argument('--out', required=True, metavar='DIR',
                        help='folder to write to')
    parser.add_argument('--method', default='felzenszwalb', choices=METHODS,
                        help='default: %(default)s')
    parser.add_argument('--options', nargs='+', default=[],
                        metavar='KEY=VALUE',
                        help='of the method, e.g. scale=300, n_segments=100, '
                        'points_per_batch=16; a wrong name lists them')
    parser.add_argument('--model', metavar='PATH_OR_HUB',
                        help='for sam: a folder that save_pretrained wrote, '
                        'or a name on the Hugging Face hub')
    parser.add_argument('--device',
                        help='for sam; default: the GPU if there is one')
    parser.add_argument('--max-side', type=at_least(1), metavar='N',
                        help='make photos with a longer side smaller before, '
                        'as max_side of the config does')
    parser.add_argument('--num-workers', type=at_least(0), metavar='N',
                        help='processes that make superpixels; default: as '
                        'many as CPU cores')
    add_lenient(parser)
    return parser.parse_args()


def main() -> None:
    """Parse, extract."""
    args = parse_args()
    preparation.extract_segments(
        args.photos, args.out, args.method,
        dict(one.partition('=')[::2] for one in args.options), args.model,
        args.device, args.max_side, args.list, args.num_workers,
        args.lenient)


if __name__ == '__main__':
    run(main)
