"""What the command lines in ``tools/`` share."""
import argparse
import os
import sys
import traceback
from typing import Callable

from mmengine.config import Config, DictAction

from mmwsss import apis
from mmwsss.parallel.worker_errors import in_own_words
from mmwsss.problems import ConfigError, DataError, NonFiniteLossError

from .lenient import take_damaged_photos


def config_parser(description: str) -> argparse.ArgumentParser:
    """A parser with the options that mmseg's tools have, too."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go; '
                        'default: work_dirs/<name of the config>')
    add_config_options(parser, 'override settings of the config, e.g. '
                       'data_root=DIR model.test_cfg.scales="(1.0,1.5)"')
    parser.add_argument('--launcher', default='none',
                        choices=['none', 'pytorch', 'slurm', 'mpi'],
                        help='how a distributed run was started')
    # torchrun's predecessor passes --local-rank instead of setting
    # LOCAL_RANK.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0,
                        help=argparse.SUPPRESS)
    return parser


def add_config_options(parser: argparse.ArgumentParser,
                       meaning: str) -> None:
    """The option ``--cfg-options``.

    Args:
        parser (argparse.ArgumentParser): The parser that gets it.
        meaning (str): What the help says of the option.
    """
    parser.add_argument('--cfg-options', nargs='+', action=DictAction,
                        default={}, metavar='KEY=VALUE', help=meaning)


def add_path_options(parser: argparse.ArgumentParser) -> None:
    """Options of what runs the whole path, from labels to a segmentor."""
    parser.add_argument('--affinity', metavar='CONFIG',
                        help='learned affinity between maps and segmentor, '
                        'e.g. configs/irn_deit-tiny_voc.py')
    parser.add_argument('--crf', action='store_true',
                        help='also score maps and masks after a dense CRF')
    parser.add_argument('--amp', action='store_true',
                        help='mixed precision')
    add_overwrite(parser)
    add_config_options(parser, 'settings; each config gets those it has, e.g. '
                       'data_root=DIR')


def add_lenient(parser: argparse.ArgumentParser) -> None:
    """The option to take photos that show signs of damage."""
    parser.add_argument('--lenient', action='store_true',
                        help='take photos that can be decoded though they '
                        'show signs of damage, such as lost bytes')


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """The option to replace what was made with other settings."""
    parser.add_argument('--overwrite', action='store_true',
                        help='replace what was made with other settings; '
                        'without it such folders stop the run')


def parse_config(args: argparse.Namespace) -> Config:
    """The config that parsed arguments ask for."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = apis.load_config(args.config, args.cfg_options, args.work_dir)
    if getattr(args, 'lenient', False):
        take_damaged_photos(cfg)
    return cfg


def run(main: Callable[[], None]) -> None:
    """Run a tool; a mistake of the user's ends it in one line, not a trace.

    ``MMWSSS_TRACEBACK=1`` shows the trace as well.
    """
    try:
        main()
    except (ConfigError, DataError, FileNotFoundError,
            NonFiniteLossError) as error:
        _exit(in_own_words(error), 'error')
    except (TypeError, ValueError, KeyError, ImportError) as error:
        # How the builders of mmengine, and the parts they build, report an
        # option that is wrong, a part or a library that is not there.
        if not _from_building(error):
            raise
        _exit(error, 'error: config')
    except KeyboardInterrupt:
        sys.exit('interrupted; run the same command with --resume (training) '
                 'or as it was (generation) to go on')


def _exit(error: Exception, kind: str) -> None:
    """End in one line, or with the trace where that is asked for."""
    if os.environ.get('MMWSSS_TRACEBACK') == '1':
        raise error
    text = error.args[0] if isinstance(error, KeyError) else error
    sys.exit(f'{kind}: {text}')


def _from_building(error: BaseException) -> bool:
    """Whether an error arose while a part of the config was being built."""
    from mmengine.registry import build_functions
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.filename == build_functions.__file__
               for frame in frames)
