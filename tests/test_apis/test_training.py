"""Training through the Runner."""
import os.path as osp
import shutil
import time
from pathlib import Path

import pytest
from command_lines import run_tool
from shapes import train_losses

from mmwsss.apis import (
    load_config,
    train,
)
from mmwsss.problems import ConfigError


def test_runs_of_one_second_keep_their_own_logs(localizer_config, tmp_path,
                                                monkeypatch):
    monkeypatch.setattr('time.localtime', lambda *_: time.gmtime(0))
    for name in ('a', 'b'):
        assert train_losses(localizer_config, tmp_path / name,
                            **{'train_cfg.max_epochs': 1})


def test_resumed_training_goes_on(localizer_config, tmp_path):
    def cfg(epochs):
        return load_config(localizer_config, {'train_cfg.max_epochs': epochs},
                           str(tmp_path / 'run'))

    train(cfg(1))
    runner = train(cfg(2), resume=True)
    assert runner.epoch == 2 and runner.iter == 4


def test_another_training_is_replaced_only_if_asked(trained, monkeypatch):
    # All starts within one second, after which mmengine names the logs.
    monkeypatch.setattr('time.localtime', lambda *_: time.gmtime(0))
    cfg, checkpoint = trained
    cfg.train_cfg.max_epochs = 1
    folder = Path(cfg.work_dir)
    for name in ('mine.pth', 'stage.json'):
        (folder / name).write_text('precious')
    log = folder / '20200101_000000'
    log.mkdir()
    before = sorted(folder.iterdir())
    with pytest.raises(ConfigError) as error:
        train(cfg)
    text = str(error.value)
    assert str(folder) in text and '\n' not in text
    for remedy in ('--resume', '--work-dir', '--overwrite'):
        assert remedy in text
    assert sorted(folder.iterdir()) == before

    cfg.load_from = checkpoint
    with pytest.raises(ConfigError, match='load_from=.*would remove it'):
        train(cfg, overwrite=True)
    # Nothing goes before the new training can begin.
    cfg.load_from = None
    cfg.train_dataloader.batch_size = 100
    cfg.train_dataloader.drop_last = True
    with pytest.raises(ConfigError, match='do not fill one batch'):
        train(cfg, overwrite=True)
    assert log.is_dir() and Path(checkpoint).exists()

    cfg.train_dataloader.batch_size = 4
    assert train(cfg, overwrite=True).epoch == 1
    assert not log.exists()
    assert {path.name for path in folder.glob('*.pth')} == {
        'mine.pth', 'epoch_1.pth', 'best_multi-label_mAP_epoch_1.pth'}
    assert (folder / 'stage.json').read_text() == 'precious'


def test_go_on_or_begin_anew(localizer_config, capsys):
    assert run_tool('train', localizer_config, '--resume', '--overwrite') == 2
    assert 'not allowed with' in capsys.readouterr().err


def test_losses_are_bit_equal_without_masks(localizer_config, shapes,
                                            tmp_path):
    with_masks = train_losses(localizer_config, tmp_path / 'a')
    shutil.rmtree(osp.join(shapes, 'SegmentationClassAug'))
    without = train_losses(localizer_config, tmp_path / 'b')
    assert len(with_masks) == 4 and with_masks == without


def _misspelt_class(root):
    path = Path(root, 'labels.csv')
    path.write_text(path.read_text().replace('red', 'rde', 1))


def _lost_photo(root):
    Path(root, 'JPEGImages', 'img3.jpg').unlink()


def _cut_photo(root):
    path = Path(root, 'JPEGImages', 'img3.jpg')
    path.write_bytes(path.read_bytes()[:200])


def _no_list(root):
    Path(root, 'lists', 'train.txt').unlink()


@pytest.mark.parametrize('spoil, options, said', [
    (_misspelt_class, (), "unknown class 'rde' (did you mean 'red'?)"),
    (_lost_photo, (), 'img3.jpg'),
    (_cut_photo, (), 'img3.jpg'),
    (_no_list, (), 'no list'),
    (lambda root: None, ('model.backbone.num_classes=3', ),
     'set model.backbone.num_classes=2'),
])
def test_mistakes_in_data_come_before_any_log(
        spoil, options, said, localizer_config, shapes, tmp_path, capfd):
    spoil(shapes)
    chosen = ('--cfg-options', *options) if options else ()
    message = run_tool('train', localizer_config, '--work-dir',
                       tmp_path / 'run', *chosen)
    assert message.startswith('error: ') and said in message
    assert not (tmp_path / 'run').exists()
    assert 'System environment' not in ''.join(capfd.readouterr())


def test_what_data_sets_say_is_in_the_log_once(localizer_config, shapes,
                                               tmp_path):
    Path(shapes, 'JPEGImages', 'notes.doc').touch()
    for name in ('train', 'again'):
        train_losses(localizer_config, tmp_path / name,
                     **{'train_dataloader.dataset.ann_file': '',
                        'train_cfg.max_epochs': 1})
        [log] = (tmp_path / name).glob('*/*.log')
        assert log.read_text().count('1 left out: notes.doc') == 1
