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
    parser.add_argument('--affinity', metavar='CONFIG',
                        help='learned affinity between maps and segmentor, '
                        'e.g. configs/irn_deit-tiny_voc.py')
    parser.add_argument('--crf', action='store_true',
                        help='also score maps and masks after a dense CRF')
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction,
                        default={}, metavar='KEY=VALUE',
                        help='settings; each config gets those it has, e.g. '
                        'data_root=DIR')
    args = parser.parse_args()
    run_pipeline(args.localizer, args.segmentor, args.work_dir,
                 args.cfg_options, args.affinity, args.crf, args.amp)


if __name__ == '__main__':
    run(main)
