#!/usr/bin/env python
"""Image-level labels -> localizer -> pseudo masks -> segmentor -> scores."""
import argparse

from mmengine.config import DictAction

from mmwsss.apis import run_pipeline
from mmwsss.apis.command_line import run


def main() -> None:
    """Parse, run all stages that are not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('localizer', help='config file of the localizer')
    parser.add_argument('segmentor', help='config file of the segmentor')
    parser.add_argument('--work-dir', required=True,
                        help='where everything is written')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction,
                        default={}, metavar='KEY=VALUE',
                        help='settings that both configs have, e.g. '
                        'data_root=DIR')
    args = parser.parse_args()
    run_pipeline(args.localizer, args.segmentor, args.work_dir,
                 args.cfg_options)


if __name__ == '__main__':
    run(main)
