#!/usr/bin/env python
"""Convert a published checkpoint to one of ours, or back."""
import argparse
from typing import Any

from mmwsss import apis, conversion
from mmwsss.apis.command_line import Parser, add_config_options, run


class ListLayouts(argparse.Action):
    """Print the layouts, one a line, and end."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Show what ``--list`` asks for."""
        for name, layout in conversion.LAYOUTS.items():
            print(f'{name:18} {layout.summary} (configs/{layout.config})')
        parser.exit()


def main() -> None:
    """Parse and convert."""
    parser = Parser(description=__doc__)
    parser.add_argument('layout', metavar='LAYOUT',
                        help='how the published code names its weights; '
                        '--list shows which there are')
    parser.add_argument('source', metavar='SRC',
                        help='published checkpoint: path or URL')
    parser.add_argument('target', metavar='DST', help='the .pth to write')
    parser.add_argument('--list', action=ListLayouts, nargs=0,
                        help='show the layouts and the config that each takes '
                        'by default')
    parser.add_argument('--config',
                        help='config with the network that the weights are '
                        "for; default: the layout's usual one")
    parser.add_argument('--reverse', action='store_true',
                        help="the source is a checkpoint of the config's "
                        'model; write the published layout')
    add_config_options(parser, 'override settings of the config, e.g. '
                       'model.backbone.arch=deit-small')
    args = parser.parse_args()
    cfg = apis.load_config(
        args.config or conversion.usual_config(args.layout), args.cfg_options)
    conversion.convert_weights(args.layout, args.source, args.target, cfg,
                               args.reverse)


if __name__ == '__main__':
    run(main)
