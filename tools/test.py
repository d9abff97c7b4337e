#!/usr/bin/env python
"""Test a segmentor; prints a table of IoU by class."""
from mmwsss import apis
from mmwsss.apis.command_line import (
    add_lenient,
    config_parser,
    parse_config,
    run,
)


def main() -> None:
    """Parse, test."""
    parser = config_parser(__doc__)
    add_lenient(parser)
    parser.add_argument('checkpoint', help='weights: path or URL')
    parser.add_argument('--tta', action='store_true',
                        help='several scales, mirrored or not, as the config '
                        'says')
    parser.add_argument('--crf', action='store_true',
                        help='also score the masks after a dense CRF')
    outputs = parser.add_mutually_exclusive_group()
    outputs.add_argument('--out', help='write the predicted masks here')
    outputs.add_argument('--submission', metavar='ARCHIVE',
                         help='do not score: pack masks of the test list for '
                         'the evaluation server (.zip, .tar, .tar.gz, .tgz)')
    args = parser.parse_args()
    if args.submission is not None and args.launcher != 'none':
        parser.error('--submission works in one process')
    cfg = parse_config(args)
    if args.submission is not None:
        apis.write_submission(cfg, args.checkpoint, args.submission, args.tta,
                              args.crf)
    else:
        apis.test(cfg, args.checkpoint, args.tta, args.out, args.launcher,
                  args.crf)


if __name__ == '__main__':
    run(main)
