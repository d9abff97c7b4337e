#!/usr/bin/env python
"""Test a segmentor; prints a table of IoU by class."""
from mmwsss.apis import test
from mmwsss.apis.command_line import config_parser, parse_config, run


def main() -> None:
    """Parse, test."""
    parser = config_parser(__doc__)
    parser.add_argument('checkpoint', help='weights: path or URL')
    parser.add_argument('--tta', action='store_true',
                        help='multi-scale and flip')
    parser.add_argument('--out', help='write the predicted masks here')
    args = parser.parse_args()
    test(parse_config(args), args.checkpoint, args.tta, args.out,
         args.launcher)


if __name__ == '__main__':
    run(main)
