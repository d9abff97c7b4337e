#!/usr/bin/env python
r"""Write CLIP text embeddings of class names.

Example:
    python tools/extract_text_embeddings.py --classes voc12 \
        --weights ViT-B-16_state_dict.pth --out data/text_embeddings_voc12.npz
    python tools/extract_text_embeddings.py --config configs/clip_es_voc.py \
        --weights ViT-B-16_state_dict.pth
"""
import argparse

from mmwsss import apis, preparation
from mmwsss.apis.command_line import Parser, run


def parse_args() -> argparse.Namespace:
    """The options."""
    parser = Parser(
        description='Write CLIP text embeddings of class names.')
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        '--classes', metavar='voc12|coco80|FILE',
        help='class list; FILE has one class a line: name, other word, ...')
    source.add_argument(
        '--config', help='config that names classes, background words and '
        'prompt, such as configs/clip_es_voc.py')
    parser.add_argument(
        '--weights', required=True, metavar='PATH_OR_URL',
        help="plain CLIP state dict: OpenAI's, mmseg's or Hugging Face's")
    parser.add_argument(
        '--template', action='append', metavar='TEXT',
        help="prompt with {} for the class, may be given several times; "
        "default: 'a photo of a {}'")
    parser.add_argument(
        '--out', metavar='FILE.npz', help='file to write; default with '
        '--config: the one that the config names')
    parser.add_argument(
        '--device', help='default: the GPU if there is one')
    args = parser.parse_args()
    if args.config is not None and args.template:
        parser.error('--template stands in the config')
    if args.config is None and args.out is None:
        parser.error('the following arguments are required: --out')
    return args


def main() -> None:
    """Parse, extract."""
    args = parse_args()
    out = args.out
    if args.config is not None:
        cfg = apis.load_config(args.config)
        texts = apis.config_texts(cfg)
        out = out or cfg.text_embeddings
    else:
        texts = dict(classes=args.classes,
                     templates=args.template or ['a photo of a {}'])
    preparation.extract_text_embeddings(out, weights=args.weights,
                                        device=args.device, **texts)


if __name__ == '__main__':
    run(main)
