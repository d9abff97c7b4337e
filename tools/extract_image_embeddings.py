#!/usr/bin/env python
r"""Write CLIP image embeddings of photos.

Example:
    python tools/extract_image_embeddings.py \
        --images data/VOCdevkit/VOC2012/JPEGImages \
        --weights ViT-B-16_state_dict.pth --out data/image_embeddings.npz
"""
import argparse

from mmwsss import preparation
from mmwsss.apis.command_line import Parser, run


def parse_args() -> argparse.Namespace:
    """The options."""
    parser = Parser(
        description='Write CLIP image embeddings of photos. An interrupted '
        'run goes on where it stopped when it is started again.')
    parser.add_argument(
        '--images', metavar='DIR', help='folder of photos')
    parser.add_argument(
        '--list', metavar='FILE',
        help='one photo a line, in DIR if given; names without an extension '
        'will do')
    parser.add_argument(
        '--weights', required=True, metavar='PATH_OR_URL',
        help="plain CLIP ViT state dict: OpenAI's or Hugging Face's")
    parser.add_argument(
        '--out', required=True, metavar='FILE.npz', help='file to write')
    parser.add_argument('--batch-size', type=int, default=64, metavar='N')
    parser.add_argument(
        '--no-resume', action='store_true',
        help='start over, do not go on with an interrupted run')
    parser.add_argument(
        '--device', help='default: the GPU if there is one')
    parser.add_argument(
        '--lenient', action='store_true',
        help='take photos that can be decoded though they show damage')
    args = parser.parse_args()
    if not (args.images or args.list):
        parser.error('give --images DIR, --list FILE or both')
    if args.batch_size < 1:
        parser.error('--batch-size must be at least 1')
    return args


def main() -> None:
    """Parse, extract."""
    args = parse_args()
    photos = preparation.find_images(args.images, args.list)
    preparation.extract_image_embeddings(
        args.out, photos, args.weights, args.batch_size, not args.no_resume,
        device=args.device, lenient=args.lenient)


if __name__ == '__main__':
    run(main)
