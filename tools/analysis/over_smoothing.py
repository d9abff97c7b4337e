#!/usr/bin/env python
"""Plot how alike patch tokens become by layer, and class-token attention."""
import glob
import os.path as osp

from mmwsss import apis
from mmwsss.apis.command_line import Parser, at_least, run


def main() -> None:
    """Parse, analyse, say where the results are."""
    parser = Parser(description=__doc__)
    parser.add_argument('--run', nargs=3, action='append', required=True,
                        metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
                        help='a checkpoint to look at; may be repeated')
    parser.add_argument('--photos', required=True, metavar='DIR',
                        help='folder of photos (.jpg)')
    parser.add_argument('--count', type=at_least(1), default=50,
                        help='photos to look at, in alphabetical order; '
                        'default: 50')
    parser.add_argument('--out-dir', default='work_dirs/over_smoothing')
    args = parser.parse_args()
    photos = sorted(glob.glob(osp.join(glob.escape(args.photos), '*.jpg')))
    similarity = apis.analyse_over_smoothing(
        [(name, apis.load_config(config), checkpoint)
         for name, config, checkpoint in args.run],
        photos[:args.count], args.out_dir)
    for name, values in similarity.items():
        print(name, ' '.join(f'{value:.3f}' for value in values))
    print(f'over_smoothing.json, over_smoothing.png and attention.png are in '
          f'{args.out_dir}')


if __name__ == '__main__':
    run(main)
