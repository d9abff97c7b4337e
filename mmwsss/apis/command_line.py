"""What the command lines in ``tools/`` share."""
import argparse
import os
import sys
from typing import Callable

from mmengine.config import Config, DictAction

from mmwsss.engine.hooks.non_finite_loss import NonFiniteLossError
from mmwsss.problems import DataError

from .config import ConfigError, load_config


def config_parser(description: str) -> argparse.ArgumentParser:
    """A parser with the options that mmseg's tools have, too."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go; '
                        'default: work_dirs/<name of the config>')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={},
        metavar='KEY=VALUE', help='override settings of the config, e.g. '
        'data_root=DIR model.test_cfg.scales="(1.0,1.5)"')
    parser.add_argument('--launcher', default='none',
                        choices=['none', 'pytorch', 'slurm', 'mpi'],
                        help='how a distributed run was started')
    # torchrun's predecessor passes --local-rank instead of setting
    # LOCAL_RANK.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0,
                        help=argparse.SUPPRESS)
    return parser


def parse_config(args: argparse.Namespace) -> Config:
    """The config that parsed arguments ask for."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return load_config(args.config, args.cfg_options, args.work_dir)


def run(main: Callable[[], None]) -> None:
    """Run a tool; a mistake of the user's ends it in one line, not a trace.

    ``MMWSSS_TRACEBACK=1`` shows the trace as well.
    """
    try:
        main()
    except (ConfigError, DataError, FileNotFoundError,
            NonFiniteLossError) as error:
        if os.environ.get('MMWSSS_TRACEBACK') == '1':
            raise
        sys.exit(f'error: {error}')
    except TypeError as error:
        # How the builders of mmengine report an option that a part lacks.
        if 'unexpected keyword argument' not in str(error) or os.environ.get(
                'MMWSSS_TRACEBACK') == '1':
            raise
        sys.exit(f'error: config: {error}')
    except KeyboardInterrupt:
        sys.exit('interrupted; run the same command with --resume (training) '
                 'or as it was (generation) to go on')
