#!/usr/bin/env python
"""Image-level labels -> localizer -> pseudo masks -> segmentor -> scores."""

from mmwsss import apis
from mmwsss.apis.command_line import Parser, add_path_options, run


def main() -> None:
    """Parse, run all stages that are not up to date."""
    parser = Parser(description=__doc__)
    parser.add_argument('localizer', help='config file of the localizer, or '
                        'of a pipeline that lists its stages')
    parser.add_argument('segmentor', nargs='?',
                        help='config file of the segmentor; left out, the '
                        'path ends with the masks')
    parser.add_argument('--work-dir', required=True,
                        help='where everything is written')
    add_path_options(parser)
    args = parser.parse_args()
    apis.run_pipeline(args.localizer, args.segmentor, args.work_dir,
                      args.cfg_options, args.affinity, args.crf, args.amp,
                      args.overwrite)


if __name__ == '__main__':
    run(main)
