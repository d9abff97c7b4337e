#!/usr/bin/env python
"""Write localization maps, pseudo masks and scores of a split."""
import os.path as osp

from mmwsss import apis
from mmwsss.apis.command_line import (
    add_lenient,
    at_least,
    config_parser,
    number_or,
    parse_config,
    run,
)


def main() -> None:
    """Parse, generate, say where the results are."""
    parser = config_parser(__doc__)
    add_lenient(parser)
    parser.add_argument('checkpoint', nargs='?',
                        help='weights: path or URL; left out, the refiners of '
                        'the config work on --maps')
    parser.add_argument('--out-dir',
                        help='default: <work dir>/pseudo/<split>; for a list '
                        'its name, with _list where a split is called so')
    parser.add_argument('--split', default='train',
                        help='train, val, test, or a list of image ids; '
                        'default: train')
    parser.add_argument('--threshold', type=number_or('auto'), nargs='+',
                        help='background threshold; two numbers leave what '
                        'lies between them as 255; auto finds one without '
                        'masks; default: the best on the images that have '
                        'masks, and where none has, auto')
    parser.add_argument('--maps', metavar='DIR',
                        help='maps to refine, by a network such as irn_voc.py '
                        'or, without a checkpoint, by the refiners of the '
                        'config; .npz, or .npy dicts of other scripts')
    parser.add_argument('--overwrite', action='store_true',
                        help='replace what another checkpoint, config or list '
                        'made')
    parser.add_argument('--skip-bad', type=at_least(0), default=0, metavar='N',
                        help='look at every photo first, and leave out at '
                        'most N that are missing or damaged; default: 0')
    parser.add_argument('--export-npy', metavar='mctformer|irn',
                        help="also write the maps as the .npy dicts that "
                        "MCTformer's and PSA's, or IRN's scripts read")
    args = parser.parse_args()
    if args.maps is not None and args.checkpoint is not None:
        args.cfg_options['maps'] = args.maps
    cfg = parse_config(args)
    out_dir = args.out_dir or osp.join(cfg.work_dir, 'pseudo',
                                       apis.split_folder(args.split))
    threshold = args.threshold
    if threshold is not None:
        threshold = threshold[0] if len(threshold) == 1 else tuple(threshold)
    report = apis.generate_pseudo_labels(
        cfg, args.checkpoint, out_dir, args.split, threshold, args.overwrite,
        args.export_npy, args.launcher,
        args.maps if args.checkpoint is None else None, args.skip_bad)
    if report:  # only the first process of a distributed run has it
        for line in apis.generation_ending(report, out_dir):
            print(line)


if __name__ == '__main__':
    run(main)
