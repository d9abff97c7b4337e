#!/usr/bin/env python
"""The whole path for several localizers and seeds; one table."""

from mmwsss import apis
from mmwsss.apis.command_line import (
    Parser,
    add_path_options,
    at_least,
    run,
)


def main() -> None:
    """Parse, run what is not finished, print the table."""
    parser = Parser(description=__doc__)
    parser.add_argument('localizers', nargs='+',
                        help='config files of the localizers')
    parser.add_argument('--segmentor', metavar='CONFIG',
                        help='config file of the segmentor; left out, the '
                        'masks are compared')
    parser.add_argument('--seeds', type=at_least(0, 2**32 - 1), nargs='+',
                        default=[0, 1, 2],
                        help='default: 0 1 2')
    parser.add_argument('--work-dir', default='work_dirs/comparison',
                        help='default: %(default)s')
    add_path_options(parser)
    args = parser.parse_args()
    apis.compare(args.localizers, args.segmentor, args.work_dir, args.seeds,
                 args.affinity, args.crf, args.amp, args.cfg_options,
                 args.overwrite)
    print(f'comparison.json and comparison.md are in {args.work_dir}')


if __name__ == '__main__':
    run(main)
