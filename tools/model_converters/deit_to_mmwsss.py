#!/usr/bin/env python
"""Convert DeiT's published weights to those of a config's ViT."""
from mmwsss.apis.command_line import converter_parser, parse_config, run
from mmwsss.conversion.convert import convert_vit
from mmwsss.conversion.layouts import DEIT


def main() -> None:
    """Parse and convert."""
    args = converter_parser(__doc__).parse_args()
    convert_vit(parse_config(args), args.source, args.target, DEIT)


if __name__ == '__main__':
    run(main)
