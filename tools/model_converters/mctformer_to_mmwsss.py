#!/usr/bin/env python
"""Convert a checkpoint of MCTformer+'s published code."""
from mmwsss.apis.command_line import converter_parser, parse_config, run
from mmwsss.conversion.convert import convert_checkpoint
from mmwsss.conversion.layouts import MCTFORMER_PLUS


def main() -> None:
    """Parse and convert."""
    args = converter_parser(__doc__, reversible=True).parse_args()
    convert_checkpoint(parse_config(args), args.source, args.target,
                       MCTFORMER_PLUS, args.reverse)


if __name__ == '__main__':
    run(main)
