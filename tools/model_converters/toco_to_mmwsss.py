#!/usr/bin/env python
"""Convert a checkpoint of ToCo's published code."""
from mmwsss.apis.command_line import config_parser, parse_config, run
from mmwsss.apis.conversion import convert_checkpoint
from mmwsss.models.converters import TOCO


def main() -> None:
    """Parse and convert."""
    parser = config_parser(__doc__)
    parser.add_argument('source', help='published checkpoint: path or URL')
    parser.add_argument('target', help='the .pth to write')
    args = parser.parse_args()
    convert_checkpoint(parse_config(args), args.source, args.target, TOCO)


if __name__ == '__main__':
    run(main)
