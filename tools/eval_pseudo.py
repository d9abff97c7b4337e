#!/usr/bin/env python
"""Score pseudo masks or localization maps against ground truth."""

from mmwsss import apis
from mmwsss.apis.command_line import Parser, run


def main() -> None:
    """Parse, score."""
    parser = Parser(description=__doc__)
    parser.add_argument('folder', help='masks (.png) or maps (.npz, .npy)')
    parser.add_argument('--gt', required=True, help='folder of true masks')
    parser.add_argument('--classes', default='voc12',
                        help='voc12, coco80, or a text file with one class a '
                        'line; default: voc12')
    parser.add_argument('--score-classes', nargs='+', metavar='NAME',
                        help='classes of the mean, background too; default: '
                        'all')
    parser.add_argument('--pxap', action='store_true',
                        help='also PxAP and pIoU of maps, as for OpenImages30k'
                        )
    parser.add_argument('--scorers', nargs='+', default=[], metavar='NAME',
                        help='further scores of maps, registered scorers')
    parser.add_argument('--allow-missing', action='store_true',
                        help='leave out files without a true mask and true '
                        'masks without a file; without it they are an error')
    parser.add_argument('--out-dir',
                        help='write evaluation.json and the curve there')
    args = parser.parse_args()
    report = apis.evaluate_pseudo_labels(
        args.folder, args.gt, args.classes,
        args.score_classes or 'all', args.out_dir, args.pxap,
        [dict(type=name) for name in args.scorers], args.allow_missing)
    if args.pxap:
        print(f'PxAP {report["PxAP"]:.2f}, pIoU {report["pIoU"]:.2f}')
    print(f'mIoU {report["mIoU"]:.2f} over {report["images"]} images')


if __name__ == '__main__':
    run(main)
