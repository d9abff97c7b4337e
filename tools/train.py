#!/usr/bin/env python
"""Train a localizer or a segmentor."""
from mmwsss import apis
from mmwsss.apis.command_line import (
    add_lenient,
    add_trackers,
    config_parser,
    parse_config,
    run,
)


def main() -> None:
    """Parse, train, say what came of it."""
    parser = config_parser(__doc__)
    add_lenient(parser)
    add_trackers(parser)
    earlier = parser.add_mutually_exclusive_group()
    earlier.add_argument('--resume', action='store_true',
                         help='go on from the latest checkpoint in the work '
                         'dir')
    earlier.add_argument('--overwrite', action='store_true',
                         help='begin anew where the work dir holds another '
                         'training, whose checkpoints and logs are removed; '
                         'without it such a folder stops the run')
    parser.add_argument('--amp', action='store_true',
                        help='automatic mixed precision')
    args = parser.parse_args()
    runner = apis.train(parse_config(args), args.resume, args.amp,
                        args.launcher, args.overwrite)
    for line in apis.training_ending(runner):
        print(line)


if __name__ == '__main__':
    run(main)
