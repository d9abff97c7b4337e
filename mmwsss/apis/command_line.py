"""What the command lines in ``tools/`` share."""
import argparse
import errno
import os
import os.path as osp
import re
import signal
import sys
import threading
import traceback
from typing import Any, Callable, NoReturn, Optional, Sequence, Union

from mmengine.config import Config

from mmwsss import apis
from mmwsss.parallel.orphans import end_with_parent
from mmwsss.parallel.worker_errors import in_own_words
from mmwsss.problems import (
    ConfigError,
    DataError,
    NonFiniteLossError,
    printable,
)

from .options import split_option

_REMEDIES = {
    errno.EMFILE: 'too few file handles: allow more with "ulimit -n 4096", '
    'or use fewer workers (train_dataloader.num_workers=0, '
    'localize_workers=0)',
    errno.ENFILE: 'the machine has no more file handles; end other programs '
    'or use fewer workers',
    errno.ENOSPC: 'make room, then run the same command again',
    errno.EDQUOT: 'make room, then run the same command again',
    errno.EFBIG: 'allow larger files with "ulimit -f unlimited", then run '
    'the same command again',
    errno.ENOMEM: 'free memory or use fewer workers',
    errno.ELOOP: 'a link that leads back to itself; remove it or name '
    'another place',
    errno.ENOENT: 'is its folder still there? Run the same command again '
    'when it is',
    errno.EACCES: 'see to its permissions or name another place',
    errno.EROFS: 'name a place that can be written to',
    errno.ENOTDIR: 'a part of this path is a file; name another place',
    errno.EISDIR: 'a folder; name a file',
    errno.EEXIST: 'a file is there already; name another place',
    errno.ENAMETOOLONG: 'use shorter names',
    errno.EIO: 'the disk or the network failed; see to it, then run the same '
    'command again',
}
TRACKERS = dict(tensorboard='TensorboardVisBackend',
                wandb='WandbVisBackend')
"""Options, and the backends of mmengine that they add."""
_MEMORY = ('not enough memory: for large photos set max_side=640 in the '
           'config; else use a smaller batch_size or localize_batch_size, or '
           'fewer workers')


class Parser(argparse.ArgumentParser):
    """``~/`` in a path is the home folder, and a mistake is one line.

    The shell leaves ``--out-dir=~/x`` as it is, and makes an empty text of
    ``"$OUT"`` that is not set: an empty option is not the default.
    """

    def parse_known_args(  # type: ignore[override]
            self, args: Optional[Sequence[str]] = None,
            namespace: Optional[argparse.Namespace] = None) -> Any:
        """The arguments, none empty, the home folder put in."""
        known, rest = super().parse_known_args(args, namespace)
        for name, value in vars(known).items():
            if value == '' or isinstance(value, list) and '' in value:
                self.error(f'{name.replace("_", "-")} is empty; is a variable '
                           'of the shell not set?')
            setattr(known, name, _expand_home(value))
        return known, rest

    def error(self, message: str) -> NoReturn:
        """End with what is wrong in one line."""
        self.exit(2, f'error: {message} (see {self.prog} --help)\n')


def _expand_home(value: Any) -> Any:
    """Of ``~/x`` and ``name=~/x``, alone or in a list."""
    if isinstance(value, list):
        return [_expand_home(one) for one in value]
    if type(value) is not str:
        return value
    name, equals, path = value.partition('=')
    if equals and path.startswith('~') and not set('/~') & set(name):
        return name + equals + osp.expanduser(path)
    return osp.expanduser(value)


def at_least(least: int, most: Optional[int] = None) -> Callable[[str], int]:
    """A type of options that are whole numbers.

    Args:
        least (int): The smallest that may be given.
        most (int, optional): The largest. Defaults to None: no limit.
    """
    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            limit = '' if most is None else f' and at most {most}'
            raise argparse.ArgumentTypeError(
                f'{text!r}: give a whole number of at least {least}{limit}')
        return value
    return number


def number_or(word: str) -> Callable[[str], Union[float, str]]:
    """A type of options that are numbers, or one word.

    Args:
        word (str): The word.
    """
    def value(text: str) -> Union[float, str]:
        if text == word:
            return text
        try:
            return float(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(
                f'{text!r}: give a number, or {word}') from error
    return value


class _ConfigOptions(argparse.Action):
    """``KEY=VALUE ...`` -> ``{'KEY': 'VALUE'}``."""

    def __call__(self, parser: argparse.ArgumentParser,
                 namespace: argparse.Namespace, values: Any,
                 option_string: Optional[str] = None) -> None:
        """Add what is given to what was given before."""
        options = dict(getattr(namespace, self.dest) or {})
        options.update(map(split_option, values))
        setattr(namespace, self.dest, options)


def config_parser(description: str) -> Parser:
    """A parser with the options that mmseg's tools have, too."""
    parser = Parser(description=description)
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
    parser.add_argument('--cfg-options', nargs='+', action=_ConfigOptions,
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
                        help='take photos of which all pixels can be '
                        'decoded though they show signs of damage, such as '
                        'bytes lost inside; none that is cut off')


def add_trackers(parser: argparse.ArgumentParser) -> None:
    """The options to follow a training in a browser."""
    for name, backend in TRACKERS.items():
        parser.add_argument(f'--{name}', action='append_const',
                            dest='trackers', const=backend,
                            help=f'also log to {name.title()}')


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """The option to replace what was made with other settings."""
    parser.add_argument('--overwrite', action='store_true',
                        help='replace what was made with other settings; '
                        'without it such folders stop the run')


def parse_config(args: argparse.Namespace) -> Config:
    """The config that parsed arguments ask for."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if 'TORCHELASTIC_RUN_ID' in os.environ:  # torchrun started this one
        end_with_parent()
    if getattr(args, 'lenient', False):
        args.cfg_options['lenient'] = True
    cfg = apis.load_config(args.config, args.cfg_options, args.work_dir)
    for backend in getattr(args, 'trackers', None) or ():
        cfg.visualizer.vis_backends.append(dict(type=backend))
    return cfg


def run(main: Callable[[], None], interrupted: str = (
        'interrupted; run the same command with --resume (training) or as it '
        'was (generation) to go on')) -> None:
    """Run a tool; a mistake of the user's ends it in one line, not a trace.

    ``MMWSSS_TRACEBACK=1`` shows the trace as well. A terminated tool (SIGTERM)
    ends as an interrupted one.

    Args:
        main (callable): The tool.
        interrupted (str): What an interrupted tool says.
    """
    before = _interrupt_when_terminated()
    try:
        main()
    except (ConfigError, DataError, NonFiniteLossError) as error:
        _exit(in_own_words(error), 'error')
    except (TypeError, ValueError, KeyError, ImportError, AssertionError,
            AttributeError, IndexError) as error:
        # How the builders of mmengine, and the parts they build, report an
        # option that is wrong, a part or a library that is not there.
        if not _from_building(error):
            raise
        _exit(error, 'error: config')
    except MemoryError as error:
        _exit(MemoryError(_MEMORY), 'error', error)
    except RuntimeError as error:  # torch's only kind of error
        text = str(error)
        if re.search('out of memory|not enough memory|t allocate memory',
                     text):
            text = f'{_MEMORY} ({text.splitlines()[0]})'
        elif 'Too many open files' in text:
            text = _REMEDIES[errno.EMFILE]
        elif "can't start new thread" in text:
            text = f'{text}: end other programs or use fewer workers'
        elif _from_building(error):
            _exit(error, 'error: config')
        else:
            raise
        _exit(RuntimeError(text), 'error', error)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and error.errno is None:
            _exit(error, 'error')  # one of ours
        if error.errno not in _REMEDIES:
            raise
        _exit(OSError(f'{_where(error)}{error.strerror}; '
                      f'{_REMEDIES[error.errno]}'), 'error', error)
    except KeyboardInterrupt:
        sys.exit(interrupted)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _interrupt_when_terminated() -> Any:
    """Make SIGTERM an interrupt, in this process alone.

    Returns:
        The handler of before; None where signals are others' business.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    this = os.getpid()

    def interrupt(number: int, frame: Any) -> None:
        if os.getpid() == this:
            raise KeyboardInterrupt
        # A process that was forked: it ends as it always did.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    return signal.signal(signal.SIGTERM, interrupt)


def _where(error: OSError) -> str:
    """The file of an error, if it has one."""
    return '' if error.filename is None else f'{error.filename}: '


def _exit(error: Exception, kind: str,
          cause: Optional[Exception] = None) -> None:
    """End in one line, or with the trace where that is asked for."""
    if os.environ.get('MMWSSS_TRACEBACK') == '1':
        raise error from cause
    text = error.args[0] if isinstance(error, KeyError) else error
    from .part_arguments import near_type  # imports networks
    text = near_type(str(text)) or text
    sys.exit(printable(f'{kind}: {text}'))


def _from_building(error: BaseException) -> bool:
    """Whether an error arose while a part of the config was being built."""
    from mmengine.registry import build_functions
    from mmengine.runner import runner
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.filename == build_functions.__file__ or (
        frame.filename == runner.__file__
        and frame.name.startswith(('__init__', 'build_', 'from_cfg')))
               for frame in frames)
