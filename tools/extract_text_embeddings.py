#!/usr/bin/env python
r"""Write CLIP text embeddings of class names.

Example:
    python tools/extract_text_embeddings.py --classes voc12 \
        --weights ViT-B-16_state_dict.pth --out data/text_embeddings_voc12.npz
"""
import argparse

from mmwsss import preparation
from mmwsss.apis.command_line import Parser, run


def parse_args() -> argparse.Namespace:
    """The options."""
    parser = Parser(
        description='Write CLIP text embeddings of class names.')
    parser.add_argument(
        '--classes', required=True, metavar='voc12|coco80|FILE',
        help='class list; FILE has one class a line: name, other word, ...')
    parser.add_argument(
        '--weights', required=True, metavar='PATH_OR_URL',
        help="plain CLIP state dict: OpenAI's, mmseg's or Hugging Face's")
    parser.add_argument(
        '--template', action='append', metavar='TEXT',
        help="prompt with {} for the class, may be given several times; "
        "default: 'a photo of a {}'")
    parser.add_argument(
        '--out', required=True, metavar='FILE.npz', help='file to write')
    parser.add_argument(
        '--device', help='default: the GPU if there is one')
    return parser.parse_args()


def main() -> None:
    """Parse, extract."""
    args = parse_args()
    templates = args.template or ['a photo of a {}']
    preparation.extract_text_embeddings(args.out, args.classes, args.weights,
                                        templates, device=args.device)


if __name__ == '__main__':
    run(main)
