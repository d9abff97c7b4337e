import argparse
import builtins
import errno
import os
import os.path as osp
import resource
import signal

import pytest
import torch
from command_lines import run_tool
from shapes import ROOT

from mmwsss.apis import command_line
from mmwsss.apis.command_line import (
    Parser,
    at_least,
    config_parser,
    number_or,
    run,
)
from mmwsss.files.atomic import require_writable, require_writable_file


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder; the working folder is another."""
    folder = tmp_path / 'home'
    folder.mkdir()
    (tmp_path / 'here').mkdir()
    monkeypatch.setenv('HOME', str(folder))
    monkeypatch.chdir(tmp_path / 'here')
    yield folder
    assert not (tmp_path / 'here' / '~').exists()


def stopped_by(error):
    """What a tool ends with that raises this."""
    def main():
        raise error
    with pytest.raises(SystemExit) as stop:
        run(main)
    return stop.value.code


@pytest.mark.parametrize('texts, values', [
    (['--a=~/x'], '~/x'), (['--a', '~/x'], '~/x'), (['--a=~'], '~'),
    (['--a=a~/x'], 'a~/x'), (['--a=x/~/y'], 'x/~/y'), (['--a=val=~/x'],
                                                       'val=~/x')])
def test_home_in_every_option(texts, values, home):
    parser = Parser()
    parser.add_argument('--a')
    found = parser.parse_args(texts).a
    wanted = values if values[0] in 'ax' else values.replace('~', str(home))
    assert found == wanted


@pytest.mark.parametrize('tool, arguments', [
    ('gen_pseudo', ['a.py', 'b.pth', '--out-dir', '']),
    ('gen_pseudo', ['a.py', 'b.pth', '--split=']),
    ('train', ['a.py', '--work-dir', '']),
    ('train', ['']),
    ('eval_pseudo', ['', '--gt', 'masks']),
    ('compare', ['a.py', '', '--work-dir', 'w']),
])
def test_an_empty_option_is_not_the_default(tool, arguments, capsys):
    assert run_tool(tool, *arguments) == 2
    assert 'is empty; is a variable of the shell' in capsys.readouterr().err


@pytest.mark.parametrize('option, meant', [
    ('model.type=MMCTT', "unknown type 'MMCTT' (did you mean 'MMCT'?)"),
    ('model.type=mmct', "(did you mean 'MMCT'?)"),
    ('train_dataloader.dataset.label_source.type=CocoLabels',
     "(did you mean 'COCOLabels'?)"),
])
def test_a_misspelt_type_is_named_with_the_near_one(option, meant, tmp_path,
                                                    localizer_config):
    assert meant in run_tool('train', localizer_config, '--work-dir', tmp_path,
                             '--cfg-options', option)


def test_home_in_lists_and_not_in_numbers(home):
    parser = Parser()
    parser.add_argument('a', nargs='+')
    parser.add_argument('--rows', nargs='+', action='append')
    parser.add_argument('--n', type=int)
    args = parser.parse_args(['~/x', 'y', '--rows', 'r', '~/z', '--n', '3'])
    assert args.a == [f'{home}/x', 'y']
    assert args.rows == [['r', f'{home}/z']] and args.n == 3


def test_a_number_or_a_word():
    assert number_or('auto')('auto') == 'auto'
    assert number_or('auto')('0.25') == 0.25
    with pytest.raises(argparse.ArgumentTypeError, match='number, or auto'):
        number_or('auto')('best')


def test_every_tool_has_this_parser(monkeypatch):
    folder = osp.join(ROOT, 'tools')
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith('.py'):
                with open(osp.join(place, name)) as file:
                    text = file.read()
                assert 'argparse.ArgumentParser(' not in text, name
                assert 'Parser(' in text or 'config_parser(' in text, name


def test_outputs_go_to_the_home_folder(trained, shapes, home):
    cfg, checkpoint = trained
    assert run_tool('gen_pseudo', cfg.filename, checkpoint, '--threshold',
                    '0.4', '--out-dir=~/out') is None
    assert (home / 'out' / 'scores.json').is_file()
    os.symlink(shapes, home / 'data')
    assert run_tool('train', cfg.filename, '--work-dir=~/run',
                    '--cfg-options', 'data_root=~/data',
                    'train_cfg.max_epochs=1') is None
    assert (home / 'run' / 'epoch_1.pth').is_file()
    assert run_tool(
        'eval_pseudo', '~/out/masks', '--gt=~/data/SegmentationClassAug',
        '--classes', _classes(home), '--out-dir=~/scores') is None
    assert (home / 'scores' / 'evaluation.json').is_file()


def _classes(home):
    (home / 'classes.txt').write_text('red\nblue\n')
    return '~/classes.txt'


def test_home_from_python(home):
    assert require_writable('~/x') == str(home / 'x')
    assert (home / 'x').is_dir()
    assert require_writable_file('~/y/f.npz') == str(home / 'y' / 'f.npz')
    assert (home / 'y').is_dir()


@pytest.mark.parametrize('texts', [['--n', 'x'], ['--n', '0'], ['--m'],
                                   ['--k', '1'], ['--n', '1.5']])
def test_a_wrong_option_is_one_line(texts, capsys):
    parser = Parser(prog='tool')
    parser.add_argument('--n', type=at_least(1))
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(texts)
    assert stop.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith('error: ') and line.endswith('(see tool --help)')


def test_numbers_of_at_least():
    assert at_least(0)('0') == 0 and at_least(2)('12') == 12
    with pytest.raises(argparse.ArgumentTypeError, match='at least 2'):
        at_least(2)('1')


def test_options_add_up():
    args = config_parser('').parse_args(
        ['c.py', '--cfg-options', 'a=1', 'b=x=y', '--cfg-options', 'c=~/z'])
    assert args.cfg_options == {'a': '1', 'b': 'x=y', 'c': '~/z'}
    assert config_parser('').parse_args(['c.py']).cfg_options == {}


@pytest.mark.parametrize('number', sorted(command_line._REMEDIES))
def test_faults_of_the_system_are_one_line(number):
    line = stopped_by(OSError(number, os.strerror(number), '/d/x'))
    assert line.startswith('error: /d/x: ') and '; ' in line
    assert '\n' not in line


@pytest.mark.parametrize('error, remedy', [
    (OSError(errno.EMFILE, 'Too many open files'), 'ulimit -n'),
    (OSError(errno.ENOSPC, 'No space left'), 'make room'),
    (RuntimeError('Too many open files. Communication with the workers is no '
                  'longer possible.'), 'num_workers=0'),
    (MemoryError(), 'smaller batch_size'),
    (MemoryError(), 'max_side=640'),
    (RuntimeError('[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator:'
                  " can't allocate memory: you tried to allocate 4000 bytes"),
     'smaller batch_size'),
    (torch.cuda.OutOfMemoryError('CUDA out of memory. Tried\nmore'),
     'smaller batch_size'),
    (RuntimeError("can't start new thread"), 'fewer workers'),
])
def test_what_the_machine_lacks(error, remedy):
    line = stopped_by(error)
    assert line.startswith('error: ') and remedy in line and '\n' not in line


@pytest.mark.parametrize('error', [
    RuntimeError('a mistake of ours'), OSError('without a number'),
    ValueError('elsewhere'), AssertionError('elsewhere')])
def test_mistakes_of_ours_keep_their_trace(error):
    def main():
        raise error
    with pytest.raises(type(error)):
        run(main)


def test_trace_where_it_is_asked_for(monkeypatch):
    monkeypatch.setenv('MMWSSS_TRACEBACK', '1')

    def main():
        raise OSError(errno.ENOSPC, 'No space left', 'x')
    with pytest.raises(OSError, match='make room'):
        run(main)


def test_too_few_file_handles(localizer_config, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    real = builtins.open
    try:
        opened = len(os.listdir('/proc/self/fd'))
        resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 3, hard))
        line = run_tool('train', localizer_config, '--work-dir',
                        tmp_path / 'run', '--cfg-options',
                        'train_dataloader.num_workers=2')
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert real is builtins.open
    assert 'ulimit -n' in line and '\n' not in line


@pytest.mark.parametrize('option', [
    'log_level=LOUD',
    'model.backbone.num_classes=2.5', 'model.patch_head.decay=[1,2]',
    'train_dataloader.sampler.type=No', 'model.backbone.arch=huge-x',
    'optim_wrapper.optimizer.type=Adm', 'train_dataloader.batch_size=[2]',
    'train_cfg.type=NoLoop', 'custom_hooks.0.type=NoHook'])
def test_an_option_that_a_part_refuses(option, localizer_config, tmp_path):
    line = run_tool('train', localizer_config, '--work-dir', tmp_path / 'run',
                    '--cfg-options', option)
    assert line.startswith('error: ') and '\n' not in line.strip()


@pytest.mark.parametrize('kind', ['file', 'loop', 'below_file'])
@pytest.mark.parametrize('tool', ['train', 'gen_pseudo', 'run_pipeline'])
def test_a_folder_that_cannot_be(kind, tool, trained, tmp_path):
    place = tmp_path / 'place'
    if kind == 'loop':
        os.symlink(place, place)
    else:
        place.write_text('')
    folder = place / 'x' if kind == 'below_file' else place
    cfg, checkpoint = trained
    more = {'train': ['--work-dir', folder],
            'gen_pseudo': [checkpoint, '--out-dir', folder],
            'run_pipeline': ['--work-dir', folder]}[tool]
    line = run_tool(tool, cfg.filename, *more)
    assert line.startswith(f'error: {folder}: cannot be written to')
    assert 'choose another folder' in line and '\n' not in line


def test_brackets_in_a_work_dir(localizer_config, tmp_path, monkeypatch):
    work = tmp_path / 'run[1]*?'
    assert run_tool('train', localizer_config, '--work-dir', work,
                    '--cfg-options', 'train_cfg.max_epochs=1') is None
    from mmwsss.apis import best_checkpoint
    assert osp.basename(best_checkpoint(str(work))).startswith('best_')


def test_runs_of_tools_end_as_main_ends():
    assert run(lambda: None) is None


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_terminated_as_interrupted(number):
    before = signal.getsignal(signal.SIGTERM)
    # A shell has what it runs in the background ignore Ctrl-C.
    ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit, match='interrupted; run the same comm'):
            run(lambda: os.kill(os.getpid(), number))
    finally:
        signal.signal(signal.SIGINT, ctrl_c)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_forked_process_is_terminated_as_ever():
    def main():
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM

    run(main)


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EMFILE, errno.EDQUOT])
def test_too_little_of_something_is_one_line(number):
    def main():
        raise OSError(number, os.strerror(number), 'scalars.json')

    with pytest.raises(SystemExit, match='error: .*scalars.json'):
        run(main)


def test_one_word_logs_to_tensorboard(localizer_config, tmp_path):
    pytest.importorskip('tensorboard')
    assert run_tool('train', localizer_config, '--work-dir', tmp_path / 'run',
                    '--tensorboard', '--cfg-options',
                    'train_cfg.max_epochs=1') is None
    assert list((tmp_path / 'run').glob('*/vis_data/events.out.tfevents.*'))
    assert list((tmp_path / 'run').glob('*/vis_data/scalars.json'))
