#!/usr/bin/env python
"""Train a config with every combination of some settings; one table."""
from mmwsss import apis
from mmwsss.apis.command_line import add_overwrite, config_parser, run


def main() -> None:
    """Parse, train, print the table."""
    parser = config_parser(__doc__)
    parser.add_argument('--grid', nargs='+', required=True,
                        metavar='KEY=VALUE,VALUE',
                        help='settings to combine, e.g. '
                        'model.patch_contrast.similarity=abs,relu,cos')
    parser.add_argument('--metric', nargs='+', required=True,
                        help='validation scores to report, e.g. seg/mIoU')
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision')
    add_overwrite(parser)
    args = parser.parse_args()
    work_dir = args.work_dir or 'work_dirs/sweep'
    apis.sweep(args.config, apis.parse_grid(args.grid), args.metric, work_dir,
               args.cfg_options, args.amp, args.overwrite)
    with open(f'{work_dir}/sweep.md') as file:
        print(file.read())
    print(f'sweep.json, sweep.md and sweep.png are in {work_dir}')


if __name__ == '__main__':
    run(main)
