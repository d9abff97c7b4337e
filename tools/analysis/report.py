#!/usr/bin/env python
"""A page that shows what was made and how good it is."""

from mmwsss import apis
from mmwsss.apis.command_line import Parser, run


def main() -> None:
    """Parse, write, print where."""
    parser = Parser(
        description='Write one HTML file that shows results and opens from '
        'disk: scores, curves, and all photos with their masks.')
    parser.add_argument('folders', nargs='+', metavar='DIR',
                        help='a folder of run_pipeline, compare, sweep, '
                        'gen_pseudo or test; several stand side by side')
    parser.add_argument('--out', metavar='FILE',
                        help='the file; default: report.html in the first '
                        'folder')
    args = parser.parse_args()
    print(apis.write_report(args.folders, args.out))


if __name__ == '__main__':
    run(main)
