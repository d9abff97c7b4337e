"""Generation that is killed, resumed, shared, crowded and cheated."""
import errno
import glob
import json
import os
import os.path as osp
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from command_lines import run_tool
from PIL import Image
from shapes import AFFINITY, ROOT

from mmwsss.apis import (
    best_checkpoint,
    evaluate_pseudo_labels,
    generate_pseudo_labels,
    load_config,
    train,
)
from mmwsss.files.maps import read_map, write_map, write_map_dict
from mmwsss.files.photos import read_photo
from mmwsss.problems import ConfigError, DataError
from mmwsss.refiners import DenseCRF, RandomWalk
from mmwsss.registry import DATASETS

SLOW = '''refiners = [dict(type='DenseCRF', iterations=200, backend='torch')]
refine_workers = 1'''


@pytest.fixture
def slow_config(localizer_config, tmp_path):
    """A config whose generation takes seconds."""
    path = tmp_path / 'slow.py'
    path.write_text(f'_base_ = {localizer_config!r}\n{SLOW}\n')
    return str(path)


def start(config, checkpoint, out, *options, before=()):
    """Start tools/gen_pseudo.py."""
    env = dict(os.environ, PYTHONPATH=ROOT, PYTHONWARNINGS='ignore',
               OMP_NUM_THREADS='1')
    return subprocess.Popen(
        [sys.executable, *before, osp.join(ROOT, 'tools', 'gen_pseudo.py'),
         config, *([checkpoint] if checkpoint else []), '--out-dir', out,
         *options],
        env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(process):
    """Wait for it; returns what it printed."""
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output[-2000:]
    return output


def make_here(config, checkpoint, out):
    """Generate in this process, refiners included."""
    cfg = load_config(config, {'refine_workers': 0})
    generate_pseudo_labels(cfg, checkpoint, out)


def content(out, *folders):
    """Bytes of all files in some folders below ``out``."""
    result = {}
    for folder in folders or ('maps', 'masks'):
        for path in glob.glob(osp.join(out, folder, '*')):
            with open(path, 'rb') as file:
                result[osp.relpath(path, out)] = file.read()
    return result


def test_killed_and_resumed_is_byte_identical(trained, slow_config, tmp_path):
    checkpoint = trained[1]
    whole, killed = str(tmp_path / 'whole'), str(tmp_path / 'killed')
    make_here(slow_config, checkpoint, whole)
    process = start(slow_config, checkpoint, killed)
    maps = osp.join(killed, 'maps', '*.npz')
    while len(glob.glob(maps)) < 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1)  # for the processes that refine to see it
    kept = {path: os.stat(path).st_mtime_ns for path in glob.glob(maps)}
    assert 2 <= len(kept) < 8
    for path in kept:
        read_map(path)
    finish(start(slow_config, checkpoint, killed))
    assert content(killed) == content(whole) and len(content(whole)) == 16
    assert kept == {path: os.stat(path).st_mtime_ns for path in kept}


def test_two_runs_into_one_folder(trained, slow_config, tmp_path):
    out, alone = str(tmp_path / 'out'), str(tmp_path / 'alone')
    processes = [start(slow_config, trained[1], out) for _ in range(2)]
    for process in processes:
        finish(process)
    make_here(slow_config, trained[1], alone)
    assert content(out) == content(alone)
    assert not glob.glob(osp.join(out, '*', '*.tmp'))


def test_two_processes_give_what_one_gives(trained, localizer_config,
                                           tmp_path):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    out, alone = str(tmp_path / 'out'), str(tmp_path / 'alone')
    output = finish(start(
        localizer_config, trained[1], out, '--launcher', 'pytorch', before=(
            '-m', 'torch.distributed.run', '--nproc_per_node=2',
            f'--master_port={port}')))
    assert output.count('maps, masks, scores.json') == 1
    generate_pseudo_labels(trained[0], trained[1], alone)
    assert content(out) == content(alone)
    scores = [json.load(open(osp.join(folder, 'scores.json')))
              for folder in (out, alone)]
    assert scores[0] == scores[1]


def test_a_mistake_in_one_process_ends_all(trained, localizer_config,
                                           tmp_path):
    out = str(tmp_path / 'out')
    generate_pseudo_labels(*trained, out)
    process = start(
        localizer_config, trained[1], out, '--launcher', 'pytorch',
        '--cfg-options', 'model.test_cfg.fusion=patch', before=(
            '-m', 'torch.distributed.run', '--nproc_per_node=2',
            '--master_port=0', '--rdzv-backend=c10d',
            '--rdzv-endpoint=127.0.0.1:0'))
    output, _ = process.communicate(timeout=300)
    assert process.returncode != 0
    assert 'made with other settings' in output


def test_a_changed_label_is_noticed(trained, shapes, tmp_path):
    cfg, checkpoint = trained
    out = str(tmp_path / 'out')
    generate_pseudo_labels(cfg, checkpoint, out)
    path = osp.join(shapes, 'labels.csv')
    with open(path) as file:
        text = file.read()
    with open(path, 'w') as file:
        file.write(text.replace('img2.jpg,red', 'img2.jpg,red;blue'))
    with pytest.raises(ConfigError, match='1 photos whose.*e.g. img2;'):
        generate_pseudo_labels(cfg, checkpoint, out)
    times = {p: os.stat(p).st_mtime_ns
             for p in glob.glob(osp.join(out, 'maps', '*'))}
    generate_pseudo_labels(cfg, checkpoint, out, overwrite=True)
    changed = [osp.basename(p) for p in times
               if os.stat(p).st_mtime_ns != times[p]]
    assert changed == ['img2.npz']
    assert len(read_map(osp.join(out, 'maps', 'img2.npz')).maps) == 2


def test_maps_of_unknown_origin_are_not_taken(trained, tmp_path):
    out = str(tmp_path / 'out')
    write_map(osp.join(out, 'maps', 'img0.npz'), np.ones((1, 48, 64), 'f'),
              [0])
    with pytest.raises(ConfigError, match='holds maps made with other'):
        generate_pseudo_labels(*trained, out)


@contextmanager
def full_disk(monkeypatch, after, suffix):
    """A disk that takes so many files of a kind, and then no more."""
    real, written = os.replace, []

    def replace(source, target):
        if target.endswith(suffix):
            if len(written) == after:
                raise OSError(errno.ENOSPC, 'No space left on device')
            written.append(target)
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', replace)
        yield


def test_a_full_disk_stops_with_a_clear_line(trained, tmp_path, monkeypatch):
    out, whole = str(tmp_path / 'out'), str(tmp_path / 'whole')
    with full_disk(monkeypatch, after=3, suffix='.npz'):
        with pytest.raises(DataError, match=r'img3.npz: cannot be written '
                           r'\(No space left on device\).*same command'):
            generate_pseudo_labels(*trained, out)
    assert sorted(os.listdir(osp.join(out, 'maps'))) == [
        f'img{i}.npz' for i in range(3)]
    generate_pseudo_labels(*trained, out)
    generate_pseudo_labels(*trained, whole)
    assert content(out) == content(whole)


def test_a_truncated_map_is_named(trained, tmp_path):
    out = str(tmp_path / 'out')
    generate_pseudo_labels(*trained, out)
    path = osp.join(out, 'maps', 'img4.npz')
    with open(path, 'rb') as file:
        half = file.read()[:-60]
    with open(path, 'wb') as file:
        file.write(half)
    with pytest.raises(DataError, match='img4.npz: not a readable map file'):
        generate_pseudo_labels(*trained, out)


def test_masks_of_two_thresholds_are_never_mixed(trained, tmp_path,
                                                 monkeypatch):
    out, whole = str(tmp_path / 'out'), str(tmp_path / 'whole')
    generate_pseudo_labels(*trained, out, threshold=0.9)
    before = content(out)
    with full_disk(monkeypatch, after=3, suffix='.png'):
        with pytest.raises(DataError, match='No space left'):
            generate_pseudo_labels(*trained, out, threshold=0.1)
    with open(osp.join(out, 'scores.json')) as file:
        assert json.load(file)['threshold'] == 0.9
    assert content(out) == before
    generate_pseudo_labels(*trained, out, threshold=0.1)
    generate_pseudo_labels(*trained, whole, threshold=0.1)
    assert content(out) == content(whole) != before


@pytest.mark.parametrize('function, message', [
    (lambda mask: mask * 0 + 255, 'no true mask has a known pixel'),
    (lambda mask: 255 * (mask > 0), 'masks of 0 and 255')])
def test_true_masks_without_classes_choose_no_threshold(
        trained, shapes, tmp_path, function, message):
    for path in glob.glob(osp.join(shapes, 'SegmentationClassAug', '*')):
        mask = function(np.asarray(Image.open(path)))
        Image.fromarray(mask.astype(np.uint8)).save(path)
    out = str(tmp_path / 'out')
    with pytest.raises(ConfigError, match=f'{message}.*--threshold 0.4'):
        generate_pseudo_labels(*trained, out)
    assert not osp.exists(osp.join(out, 'maps'))
    for threshold in (0.4, 'auto'):
        report = generate_pseudo_labels(*trained, out, threshold=threshold)
        assert report['images_with_masks'] == 0 and 'mIoU' not in report
        assert len(content(out, 'masks')) == 8


# The threshold that needs no masks

def test_without_masks_a_threshold_is_found(trained, shapes, tmp_path, capfd):
    with_masks, without = str(tmp_path / 'with'), str(tmp_path / 'without')
    asked = generate_pseudo_labels(*trained, with_masks, threshold='auto')
    assert asked['threshold_rule'] == 'auto'
    # Masks are scored at it, and do not choose it.
    assert asked['mIoU'] == asked['mIoU_curve'][f'{asked["threshold"]:g}']
    shutil.rmtree(osp.join(shapes, 'SegmentationClassAug'))
    capfd.readouterr()
    report = generate_pseudo_labels(*trained, without)
    assert report['threshold_rule'] == 'auto'
    assert report['threshold'] == asked['threshold'] > 0
    assert 'mIoU' not in report and report['images_with_masks'] == 0
    assert (f'background threshold {report["threshold"]} (auto: found '
            'without masks' in ''.join(capfd.readouterr()))
    # The masks are those of the threshold, here and in a second run.
    masks = content(without, 'masks')
    assert masks == content(with_masks, 'masks')
    assert generate_pseudo_labels(*trained, without) == report
    given = str(tmp_path / 'given')
    report = generate_pseudo_labels(*trained, given,
                                    threshold=report['threshold'])
    assert content(given, 'masks') == masks
    assert report['threshold_rule'] == 'given'


@pytest.mark.parametrize('value, message', [
    ('best', "'auto'"), (('auto', 0.4), "'auto'"), (1.0, 'one number'),
    ((0.6, 0.2), 'the lower first')])
def test_what_is_no_threshold_is_refused(trained, tmp_path, value, message):
    with pytest.raises(ConfigError, match=f'--threshold.*{message}'):
        generate_pseudo_labels(*trained, str(tmp_path / 'out'),
                               threshold=value)
    assert not osp.exists(tmp_path / 'out' / 'maps')


def test_the_tool_takes_auto_and_says_where_it_is_from(trained, tmp_path,
                                                       capsys):
    cfg, checkpoint = trained
    out = str(tmp_path / 'out')
    run = ['gen_pseudo', cfg.filename, checkpoint, '--out-dir', out,
           '--threshold']
    assert run_tool(*run, 'auto') is None
    with open(osp.join(out, 'scores.json')) as file:
        assert json.load(file)['threshold_rule'] == 'auto'
    assert run_tool(*run, 'automatic') == 2
    assert "'automatic': give a number, or auto" in capsys.readouterr().err
    assert run_tool(*run, '0.3', '0.6') is None


@pytest.mark.parametrize('count', [1, 2])
def test_maps_of_zeros_and_few_photos(trained, shapes, tmp_path, capfd,
                                      count):
    """Maps from elsewhere, of which the first has no values."""
    shutil.rmtree(osp.join(shapes, 'SegmentationClassAug'))
    cfg, _ = trained
    names = [f'img{i}' for i in range(count)]
    with open(osp.join(shapes, 'few.txt'), 'w') as file:
        file.write('\n'.join(names))
    for i, name in enumerate(names):
        photo = read_photo(osp.join(shapes, 'JPEGImages', f'{name}.jpg'))
        maps = np.zeros((1, *photo.shape[:2]), 'f')
        maps[:, 10:30, 10:30] = 0.6 * i
        write_map(str(tmp_path / 'maps' / f'{name}.npz'), maps, [i % 2])
    report = generate_pseudo_labels(
        cfg, None, str(tmp_path / 'out'), 'few.txt',
        maps=str(tmp_path / 'maps'))
    assert report['threshold_rule'] == 'auto'
    said = ''.join(capfd.readouterr())
    assert ('no map has a value above 0' in said) == (count == 1)
    assert report['threshold'] == (0.4 if count == 1 else pytest.approx(
        0.3, abs=0.02))


# Storage and batches

@pytest.mark.parametrize('stride, dtype', [(1, 'float16'), (2, 'uint8'),
                                           (4, 'float16')])
def test_small_maps_come_back_at_full_size(tmp_path, stride, dtype):
    y, x = np.mgrid[:45, :62].astype(np.float32)
    maps = np.stack([np.sin(x / 15)**2, np.cos(y / 12)**2]).astype('f')
    path = str(tmp_path / 'a.npz')
    write_map(path, maps, [2, 5], stride=stride, dtype=dtype)
    with np.load(path) as file:
        assert file['maps'].shape == (2, -(-45 // stride), -(-62 // stride))
        assert file['maps'].dtype == dtype
    got = read_map(path)
    assert got.size == (45, 62) and got.labels.tolist() == [2, 5]
    assert np.abs(got.maps - maps).mean() < (0.002 if stride == 1 else 0.02)
    write_map(path, maps[:0], [], stride=stride, dtype=dtype)
    assert read_map(path).maps.shape == (0, 45, 62)


def test_small_maps_from_the_config(trained, tmp_path):
    cfg, checkpoint = trained
    plain, small = str(tmp_path / 'plain'), str(tmp_path / 'small')
    before = generate_pseudo_labels(cfg, checkpoint, plain)
    cfg.map_stride = 2
    after = generate_pseudo_labels(cfg, checkpoint, small)
    assert after['best_mIoU'] == pytest.approx(before['best_mIoU'], abs=3)
    size = [sum(map(len, content(folder, 'maps').values()))
            for folder in (plain, small)]
    assert size[1] < 0.6 * size[0]
    cfg.map_dtype = 'float64'
    with pytest.raises(ValueError, match="map_dtype='float64'"):
        generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'c'))


def test_batched_generation_resumes_the_same(trained, shapes, tmp_path):
    cfg, checkpoint = trained
    path = osp.join(shapes, 'JPEGImages', 'img3.jpg')
    with Image.open(path) as image:
        image.transpose(Image.Transpose.ROTATE_90).save(path)
    shutil.rmtree(osp.join(shapes, 'SegmentationClassAug'))
    alone, batched = str(tmp_path / 'alone'), str(tmp_path / 'batched')
    generate_pseudo_labels(cfg, checkpoint, alone, threshold=0.4)
    cfg.localize_batch_size = 3
    generate_pseudo_labels(cfg, checkpoint, batched, threshold=0.4)
    for i in range(8):
        one, other = (read_map(osp.join(folder, 'maps', f'img{i}.npz')).maps
                      for folder in (alone, batched))
        assert np.abs(one - other).max() <= 1.01 / 255
    before = content(batched)
    os.remove(osp.join(batched, 'maps', 'img5.npz'))
    generate_pseudo_labels(cfg, checkpoint, batched, threshold=0.4)
    assert content(batched) == before


# Affinity on maps


@pytest.fixture
def seeds(shapes, tmp_path):
    """Maps that cover the middle of each square."""
    folder = tmp_path / 'seeds'
    for i in range(8):
        with Image.open(osp.join(shapes, 'SegmentationClassAug',
                                 f'img{i}.png')) as image:
            mask = np.asarray(image) > 0
        y, x = (int(v.mean()) for v in mask.nonzero())
        maps = np.full((1, *mask.shape), 0.05, dtype=np.float32)
        maps[0, y - 7:y + 8, x - 7:x + 8] = 0.9
        write_map(str(folder / f'img{i}.npz'), maps, [i % 2])
    return str(folder)


def write_affinity(method, shapes, seeds, tmp_path):
    path = tmp_path / f'{method}.py'
    path.write_text(AFFINITY.format(root=ROOT, name=f'{method}_deit-tiny_voc',
                                    data_root=shapes, maps=seeds))
    return str(path)


@pytest.fixture
def affinity_config(shapes, seeds, tmp_path):
    """A tiny PSA on ``shapes``."""
    return write_affinity('psa', shapes, seeds, tmp_path)


def train_affinity(config, work_dir):
    cfg = load_config(config, work_dir=str(work_dir))
    cfg.train_cfg.max_epochs = 30
    train(cfg)
    return cfg, best_checkpoint(cfg.work_dir)


@pytest.mark.parametrize('method', ['irn', 'psa'])
def test_affinity_is_learned_from_maps_and_refines_them(
        method, seeds, shapes, tmp_path):
    affinity_config = write_affinity(method, shapes, seeds, tmp_path)
    before = evaluate_pseudo_labels(
        seeds, osp.join(shapes, 'SegmentationClassAug'), ('red', 'blue'))
    # Not even the file of a true mask is opened in training.
    hidden = str(tmp_path / 'hidden')
    os.rename(osp.join(shapes, 'SegmentationClassAug'), hidden)
    cfg, checkpoint = train_affinity(affinity_config, tmp_path / 'run')
    os.rename(hidden, osp.join(shapes, 'SegmentationClassAug'))
    labels = glob.glob(seeds + '_labels/*.png')
    assert len(labels) == 8
    if method == 'irn':  # measured before the last checkpoint was written
        weights = torch.load(checkpoint, weights_only=False)['state_dict']
        assert weights['displacement_mean'].abs().min() > 0
    report = generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'out'),
                                    split='val')
    assert report['best_mIoU'] > before['mIoU'] + 5
    # The same walk as a refiner, in any process.
    refiner = pickle.loads(pickle.dumps(RandomWalk(affinity_config,
                                                   checkpoint)))
    seed = read_map(osp.join(seeds, 'img1.npz'))
    photo = read_photo(osp.join(shapes, 'JPEGImages', 'img1.jpg'))
    refined = refiner(torch.from_numpy(photo).permute(2, 0, 1),
                      torch.from_numpy(seed.maps), torch.tensor([1]))
    stored = read_map(str(tmp_path / 'out' / 'maps' / 'img1.npz')).maps
    assert np.abs(refined.numpy() - stored).max() < 0.01
    # Changed input maps are noticed.
    shutil.copy(osp.join(seeds, 'img0.npz'), osp.join(seeds, 'img2.npz'))
    with pytest.raises(ConfigError, match='input maps have changed.*img2'):
        generate_pseudo_labels(cfg, checkpoint, str(tmp_path / 'out'),
                               split='val')


def test_maps_of_other_scripts_are_taken(affinity_config, seeds, tmp_path):
    cfg = load_config(affinity_config, work_dir=str(tmp_path / 'run'))
    want = DATASETS.build(cfg.train_dataloader.dataset)[2]
    for path in glob.glob(seeds + '/*.npz'):
        write_map_dict(path[:-4] + '.npy', read_map(path), 'irn')
        os.remove(path)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert dataset.get_data_info(2)['map_path'].endswith('img2.npy')
    assert dataset[2]['inputs'].shape == want['inputs'].shape


def test_stored_maps_are_refined_without_the_network(
        trained, localizer_config, shapes, tmp_path):
    """As in one pass with the network, to the rounding of stored maps."""
    cfg, checkpoint = trained
    plain, one_pass = str(tmp_path / 'plain'), str(tmp_path / 'one_pass')
    generate_pseudo_labels(cfg, checkpoint, plain, split='val')
    # Scripts that leave dicts of maps are served the same way.
    theirs = tmp_path / 'theirs'
    for path in glob.glob(plain + '/maps/*.npz'):
        write_map_dict(str(theirs / osp.basename(path)[:-4]) + '.npy',
                       read_map(path), 'irn')
    config = tmp_path / 'crf.py'
    config.write_text(f"_base_ = {localizer_config!r}\nrefiners = "
                      "[dict(type='DenseCRF', background=0.5)]\n")
    refined = load_config(str(config), work_dir=str(tmp_path / 'refined'))
    want = generate_pseudo_labels(refined, checkpoint, one_pass, split='val')
    for name, maps in (('npz', plain + '/maps'), ('npy', str(theirs))):
        out = str(tmp_path / name)
        options = dict(out_dir=out, split='val', maps=maps)
        if name == 'npz':
            assert run_tool('gen_pseudo', config, '--out-dir', out, '--split',
                            'val', '--maps', maps) is None
        else:
            generate_pseudo_labels(refined, None, **options)
        names = sorted(os.listdir(one_pass + '/maps'))
        assert sorted(os.listdir(out + '/maps')) == names
        for file in names:
            one, other = (read_map(osp.join(folder, 'maps', file))
                          for folder in (out, one_pass))
            assert (one.labels == other.labels).all()
            assert np.abs(one.maps - other.maps).mean() < 2 / 255
        with open(osp.join(out, 'scores.json')) as file:
            report = json.load(file)
        assert report['best_mIoU'] == pytest.approx(want['best_mIoU'], abs=1)
        # Image-level scores come along; other scripts' files have none.
        assert report.get('mAP') == (want['mAP'] if name == 'npz' else None)
        before = content(out)
        os.remove(osp.join(out, 'maps', names[0]))
        generate_pseudo_labels(refined, None, **options)
        assert content(out) == before
    # Something was refined at all.
    assert content(str(tmp_path / 'npz'), 'maps') != content(plain, 'maps')
    # Maps of the network and maps without it never share a folder.
    with pytest.raises(ConfigError, match='made with other weights'):
        generate_pseudo_labels(refined, checkpoint, str(tmp_path / 'npz'),
                               split='val')


def test_a_checkpoint_or_maps(trained):
    cfg, checkpoint = trained
    for options in (dict(checkpoint=None),
                    dict(checkpoint=checkpoint, maps='maps')):
        with pytest.raises(ConfigError, match='either the checkpoint'):
            generate_pseudo_labels(cfg, out_dir='out', **options)


@pytest.mark.parametrize('mistake, message', [
    ('missing', 'no .*img3.npz for .*img3.jpg'),
    ('truncated', 'img3.npz: not a readable map file'),
    ('size', 'img3.npz is for a photo of 40 x 64, but .*img3.jpg is 48 x 64'),
])
def test_wrong_input_maps_are_named_before_training(
        affinity_config, seeds, tmp_path, mistake, message):
    path = osp.join(seeds, 'img3.npz')
    if mistake == 'missing':
        os.remove(path)
    elif mistake == 'truncated':
        with open(path, 'r+b') as file:
            file.truncate(100)
    else:
        write_map(path, np.ones((1, 40, 64), dtype=np.float32), [1])
    with pytest.raises(DataError, match=message):
        train_affinity(affinity_config, tmp_path / 'run')


def test_a_localizer_takes_no_maps(localizer_config):
    with pytest.raises(ConfigError, match='makes maps and takes none'):
        load_config(localizer_config, {'maps': 'somewhere'})


@pytest.mark.parametrize('refiner, message', [
    ("dict(type='DenseCFR')", "unknown type 'DenseCFR' (did you "
     "mean 'DenseCRF'?)"),
    ("dict(type='DenseCRF', unary='maps')", "unary='maps': use one of"),
    ("dict(type='PAR', steps=3)", "unexpected keyword argument 'steps'"),
])
def test_a_wrong_refiner_ends_in_one_line(trained, localizer_config, tmp_path,
                                          refiner, message):
    path = tmp_path / 'wrong.py'
    path.write_text(f'_base_ = {localizer_config!r}\nrefiners = [{refiner}]\n')
    stopped = run_tool('gen_pseudo', path, trained[1], '--out-dir',
                       tmp_path / 'out')
    assert stopped.startswith('error: ') and message in stopped
    assert '\n' not in stopped


def test_an_absent_library_is_named(monkeypatch):
    monkeypatch.setattr('mmwsss.refiners.dense_crf.find_spec',
                        lambda name: None)
    with pytest.raises(ImportError, match='pip install pydensecrf2'):
        DenseCRF(backend='pydensecrf')
