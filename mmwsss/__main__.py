"""From a folder of tagged photos to masks: plan, fit, predict, report."""
import argparse
import re
from typing import Optional, Sequence

from mmwsss import apis
from mmwsss.apis.command_line import (
    Parser,
    add_lenient,
    add_overwrite,
    number_or,
    run,
)

_UNITS = dict(s=1, m=60, h=3600)


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """The command ``mmwsss``.

    Args:
        arguments (Sequence[str], optional): Defaults to None: those of the
            command line.
    """
    args = _parser().parse_args(arguments)
    run(lambda: args.call(args), 'interrupted; run the same command again to '
        'go on')


def duration(text: str) -> float:
    """Seconds of '90s', '30m' or '1h30m'.

    Args:
        text (str): Numbers with units.

    Example:
        >>> duration('1h30m')
        5400.0
    """
    parts = re.findall(r'(\d+(?:\.\d+)?)([smh])', text)
    if not parts or ''.join(a + b for a, b in parts) != text:
        raise argparse.ArgumentTypeError(
            f'{text!r}: give a time such as 90s, 30m or 1h30m')
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _parser() -> Parser:
    parser = Parser(prog='mmwsss', description=__doc__)
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    plan = commands.add_parser(
        'plan', help='look at photos and tags, choose how to learn from them')
    plan.set_defaults(call=_plan)
    fit = commands.add_parser(
        'fit', help='plan, then learn and write masks; goes on where it '
        'stopped')
    fit.set_defaults(call=_fit)
    add_overwrite(fit)
    for command in (plan, fit):
        _add_plan_options(command)
    predict = commands.add_parser(
        'predict', help='masks of new photos, by the networks of a fit')
    predict.set_defaults(call=_predict)
    predict.add_argument('run', help='the --work-dir of a fit')
    predict.add_argument('photos', help='a photo or a folder of photos')
    predict.add_argument('--out', required=True, metavar='DIR',
                         help='where masks, overlays and tables are written')
    predict.add_argument('--labels', metavar='FILE',
                         help='tags of the photos: no other classes are found '
                         'in them')
    add_lenient(predict)
    _add_run_options(predict)
    report = commands.add_parser('report', help='one page on a fit, or on any '
                                 'folder of results')
    report.set_defaults(call=_report)
    report.add_argument('run', nargs='+', help='its folder')
    report.add_argument('--out', metavar='FILE', help='default: report.html '
                        'in the folder')
    return parser


def _add_plan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('photos', help='folder of photos')
    parser.add_argument('labels', help='what is on them: a .csv, .tsv '
                        'or .json table, a JSON file of COCO, or PHOTOS again '
                        'where they lie in a folder a class')
    parser.add_argument('--work-dir', metavar='RUN', default='work_dirs/fit',
                        help='where everything is written; default: '
                        'work_dirs/fit')
    parser.add_argument('--time-budget', metavar='TIME', type=duration,
                        help='such as 30m or 2h, for everything; default: as '
                        'long as it takes')
    parser.add_argument('--weights', metavar='FILE_OR_URL',
                        help="ImageNet weights of a DeiT-tiny, or 'none'; "
                        "default: DeiT's, fetched once")
    parser.add_argument('--threshold', type=number_or('auto'),
                        help='background threshold of the masks in [0, 1); '
                        'default, and auto: chosen from maps and photos')
    parser.add_argument('--val-share', type=float, default=0.15,
                        help='share of the photos that are held out; default: '
                        '0.15')
    parser.add_argument('--allow-empty', action='store_true',
                        help='take photos without any tag: they show the '
                        'background')
    add_lenient(parser)
    affinity = parser.add_mutually_exclusive_group()
    affinity.add_argument('--affinity', action='store_true',
                          help='learn where objects end, whatever it takes of '
                          'the time; default: where there is time for it')
    affinity.add_argument('--no-affinity', action='store_true',
                          help='never learn where objects end')
    parser.add_argument('--dry-run', action='store_true',
                        help='show the plan, write nothing')
    parser.add_argument('--replan', action='store_true',
                        help='plan anew, also over configs that were changed')
    _add_run_options(parser)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--device', help='cpu, cuda or cuda:1; default: a GPU '
                        'where there is one')
    parser.add_argument('--verbose', action='store_true',
                        help='show the whole log')


def _plan_options(args: argparse.Namespace) -> dict:
    names = ('work_dir', 'time_budget', 'weights', 'threshold', 'val_share',
             'allow_empty', 'lenient', 'dry_run', 'replan', 'device',
             'verbose')
    return dict({name: getattr(args, name) for name in names},
                affinity=not args.no_affinity, ask_affinity=args.affinity)


def _plan(args: argparse.Namespace) -> None:
    apis.show_plan(args.photos, args.labels, **_plan_options(args))


def _fit(args: argparse.Namespace) -> None:
    apis.fit(args.photos, args.labels, overwrite=args.overwrite,
             **_plan_options(args))


def _predict(args: argparse.Namespace) -> None:
    found = apis.predict(args.run, args.photos, args.out, args.labels,
                         args.device, args.verbose, args.lenient)
    count = '1 photo' if len(found) == 1 else f'{len(found)} photos'
    print(f'{count}: masks, overlays, predictions.csv and predictions.json '
          f'are in {args.out}')


def _report(args: argparse.Namespace) -> None:
    print(f'report: {apis.write_report(args.run, args.out)}')


if __name__ == '__main__':
    main()
