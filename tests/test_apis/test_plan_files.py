import os
import os.path as osp
import shutil

import pytest
from tagged_photos import make_tagged_photos, write_tags

from mmwsss.apis import load_config, plan
from mmwsss.apis.plan_files import changed_config, stored_plan
from mmwsss.apis.plan_words import chosen
from mmwsss.problems import ConfigError, DataError

NONE = dict(weights='none', device='cpu')


@pytest.fixture
def planned(tagged_folder, tmp_path, monkeypatch):
    """A plan that is there, and a function that plans again."""
    work_dir = str(tmp_path / 'run')
    made = plan(*tagged_folder, work_dir, **NONE)

    def again(**options):
        return plan(*tagged_folder, work_dir, **dict(NONE, **options))
    return work_dir, made, again


def test_a_plan_is_kept(planned, monkeypatch):
    work_dir, made, again = planned
    monkeypatch.setattr('mmwsss.apis.planning.measure_costs', None)
    times = {name: os.stat(osp.join(work_dir, name)).st_mtime_ns
             for name in os.listdir(work_dir)}
    assert again() == made
    del times['plan.json']
    assert times == {name: os.stat(osp.join(work_dir, name)).st_mtime_ns
                     for name in times}


def test_a_plan_takes_another_threshold(planned):
    _, made, again = planned
    for threshold in (0.3, None):
        choices = again(threshold=threshold)['choices']
        assert choices.pop('threshold')['value'] == 0.3
        assert all(made['choices'][name] == one
                   for name, one in choices.items())
    assert again(threshold='auto')['choices'] == made['choices']
    assert again()['choices']['threshold']['value'] == 'auto'


@pytest.mark.parametrize('name', ['data.py', 'localizer.py', 'segmentor.py',
                                  'train.txt', 'val.txt'])
def test_what_a_kill_left_out_is_written(planned, name):
    work_dir, _, again = planned
    path = osp.join(work_dir, name)
    before = open(path).read()
    os.remove(path)
    again(dry_run=True)
    assert not osp.exists(path)
    again()
    assert open(path).read() == before


def test_a_changed_config_is_kept_until_it_is_planned_anew(planned):
    work_dir, made, again = planned
    path = osp.join(work_dir, 'localizer.py')
    before = open(path).read()
    with open(path, 'a') as file:
        file.write('train_cfg = dict(max_epochs=3)\n')
    assert changed_config(made, work_dir, 'localizer.py')
    assert again()['notes'] == [f'{path} was changed by hand, and is kept']
    assert 'max_epochs=3' in open(path).read()
    assert again(replan=True)['notes'] == [
        f'{path}, changed by hand, is replaced']
    assert open(path).read() == before
    assert again()['notes'] == []


def retagged(tagged_folder, *rows):
    """The table, the last rows of it other ones."""
    before = open(tagged_folder[1]).read().split()[1:]
    write_tags(tagged_folder[1], [row.split(',') for row in
                                  before[:len(before) - len(rows)]]
               + list(rows))


def another_tag(tagged_folder):
    retagged(tagged_folder, ('c23.JPG', 'person'))
    return {}


def another_photo(tagged_folder):
    os.rename(osp.join(tagged_folder[0], 'c23.JPG'),
              osp.join(tagged_folder[0], 'new.JPG'))
    retagged(tagged_folder, ('new.JPG', 'person'))
    return {}


CHANGES = [
    (another_tag, 'c23.JPG has other tags (dog person -> person)'),
    (another_photo, 'c23.JPG is gone; new.JPG is new'),
    (lambda _: dict(time_budget=3000.),
     '--time-budget: not given before, 50.0 min now'),
    (lambda _: dict(affinity=False),
     '--no-affinity: not given before, given now'),
    (lambda _: dict(val_share=0), '--val-share: 0.15 before, 0 now')]


@pytest.mark.parametrize('change, words', CHANGES)
def test_a_plan_that_nobody_used_is_made_anew(planned, tagged_folder, change,
                                              words):
    work_dir, made, again = planned
    options = change(tagged_folder)
    (note, ) = again(dry_run=True, **options)['notes']
    assert note.startswith('planned anew') and words in note
    assert stored_plan(work_dir)['photos'] == made['photos']
    other = again(**options)
    assert other.pop('notes') == [note]
    assert stored_plan(work_dir) == other
    assert again(**options)['notes'] == []
    with open(osp.join(work_dir, 'train.txt')) as file:
        assert sorted(file.read().split() + other['held_out']) == sorted(
            other['photos'])


@pytest.mark.parametrize('change, words', CHANGES[1:3])
@pytest.mark.parametrize('used', ['data.py', 'segmentor.py', 'train.txt',
                                  'a stage'])
def test_what_was_used_or_changed_is_not_planned_anew(
        planned, tagged_folder, change, words, used):
    work_dir, _, again = planned
    if used == 'a stage':
        os.mkdir(osp.join(work_dir, 'localizer'))
        with open(osp.join(work_dir, 'localizer', 'stage.json'), 'w') as file:
            file.write('{}')
        remedy = '--replan --overwrite'
    else:
        with open(osp.join(work_dir, used), 'a') as file:
            file.write('# A note.\n')
        remedy = f'--replan plans anew, and replaces {used}, changed by hand'
    before = {name: open(osp.join(work_dir, name)).read()
              for name in os.listdir(work_dir) if name != 'localizer'}
    with pytest.raises(ConfigError) as error:
        again(**change(tagged_folder))
    text = str(error.value)
    assert words in text and remedy in text and '\n' not in text
    assert len(text.replace(work_dir, '')) < 200
    assert before == {name: open(osp.join(work_dir, name)).read()
                      for name in before}
    notes = again(replan=True)['notes']
    assert len(notes) == (used != 'a stage')


def test_a_new_plan_without_affinity_has_no_config_of_it(tmp_path,
                                                         tagged_folder):
    folder = make_tagged_photos(tmp_path / 'many', count=120)
    work_dir = tmp_path / 'run'
    plan(*folder, str(work_dir), **NONE)
    assert (work_dir / 'affinity.py').exists()
    plan(*folder, str(work_dir), affinity=False, **NONE)
    assert not (work_dir / 'affinity.py').exists()


@pytest.mark.parametrize('replaced', range(1, 7))
def test_a_new_plan_that_is_killed_is_whole_the_next_time(
        planned, replaced, monkeypatch):
    """Nothing of the plan before is taken for a change by hand."""
    work_dir, _, again = planned
    count, replace = [0], os.replace

    def killed(source, target):
        count[0] += target.startswith(work_dir)
        if count[0] == replaced:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', killed)
        with pytest.raises(KeyboardInterrupt):
            again(time_budget=300.)
    assert not any('by hand' in note
                   for note in again(time_budget=300.)['notes'])
    made = again(time_budget=300., dry_run=True)
    assert not any(changed_config(made, work_dir, name)
                   for name in made['configs'])
    cfg = load_config(osp.join(work_dir, 'localizer.py'))
    assert cfg.train_cfg.max_epochs == chosen(made)['localizer_epochs']


def moved_run(planned, tagged_folder):
    """The run's folder alone."""
    os.rename(planned[0], planned[0] + '2')
    return planned[0] + '2', tagged_folder


def moved_project(planned, tagged_folder):
    """Photos, tags and run; at another depth."""
    root = osp.dirname(planned[0])
    os.makedirs(osp.join(root, 'far', 'away'))
    for path in (osp.dirname(tagged_folder[0]), planned[0]):
        os.rename(path, osp.join(root, 'far', 'away', osp.basename(path)))
    project = osp.join(root, 'far', 'away', 'project')
    return osp.join(root, 'far', 'away', 'run'), (
        osp.join(project, 'photos'), osp.join(project, 'labels.csv'))


def moved_photos(planned, tagged_folder):
    """Photos and tags alone."""
    away = osp.join(osp.dirname(planned[0]), 'away')
    os.rename(osp.dirname(tagged_folder[0]), away)
    return planned[0], (osp.join(away, 'photos'), osp.join(away, 'labels.csv'))


def sources(work_dir):
    """Every path that a plan's configs hold, as a tool reads it."""
    cfg = load_config(osp.join(work_dir, 'localizer.py'))
    dataset = cfg.train_dataloader.dataset
    seg = load_config(osp.join(work_dir, 'segmentor.py'))
    return [dataset.data_root, dataset.label_source.file, dataset.ann_file,
            cfg.val_dataloader.dataset.ann_file,
            seg.train_dataloader.dataset.data_root,
            osp.dirname(osp.dirname(seg.pseudo_masks))]


@pytest.mark.parametrize('move', [moved_run, moved_project, moved_photos])
def test_a_plan_moves(planned, tagged_folder, move, monkeypatch):
    work_dir, folder = move(planned, tagged_folder)
    if move is not moved_photos:  # as the tools find it, without a plan
        for path in sources(work_dir):
            assert osp.exists(path) and not path.startswith(planned[0] + '/')
    monkeypatch.setattr('mmwsss.apis.planning.measure_costs', None)
    made = plan(*folder, work_dir, **NONE)
    assert made['notes'] == []
    assert made['request']['photos'] == folder[0]
    assert chosen(made)['folder'] == folder[0]
    assert all(map(osp.exists, sources(work_dir)))
    assert plan(*folder, work_dir, **NONE) == made


def test_a_copy_reads_nothing_of_the_first_run(planned, tagged_folder):
    work_dir = planned[0]
    shutil.copytree(work_dir, work_dir + '2')
    plan(*tagged_folder, work_dir + '2', **NONE)
    assert not any(osp.realpath(path).startswith(work_dir + '/')
                   for path in sources(work_dir + '2'))


@pytest.mark.parametrize('gone, line', [('photos', 'data_root'),
                                        ('labels.csv', 'file')])
def test_a_changed_config_says_what_is_not_there(planned, tagged_folder, gone,
                                                 line):
    work_dir, _, _ = planned
    with open(osp.join(work_dir, 'data.py'), 'a') as file:
        file.write('# A note.\n')
    root = osp.dirname(tagged_folder[0])
    there = list(tagged_folder)
    place = 0 if gone == 'photos' else 1
    there[place] = osp.join(root, f'other_{gone}')
    os.rename(osp.join(root, gone), there[place])
    with pytest.raises(ConfigError, match=(
            f'data.py, changed by hand: {line}, .*{gone}, is not there; set '
            f"it to '{there[place]}'$")):
        plan(*there, work_dir, **NONE)


@pytest.mark.parametrize('name', ["king's run", 'two "words"', 'a b'])
def test_names_of_folders(tagged_folder, tmp_path, name):
    work_dir = str(tmp_path / name)
    plan(*tagged_folder, work_dir, **NONE)
    assert all(map(osp.exists, sources(work_dir)))


def test_weights_count_by_content(tagged_folder, tmp_path, monkeypatch):
    monkeypatch.setattr('mmwsss.apis.planning.read_checkpoint', lambda _: {})
    monkeypatch.chdir(tmp_path)
    for name, content in (('deit.pth', 'a'), ('copy.pth', 'a'),
                          ('other.pth', 'b')):
        (tmp_path / name).write_text(content)
    work_dir = str(tmp_path / 'run')

    def planned(weights):
        return plan(*tagged_folder, work_dir, device='cpu', weights=weights)

    planned('deit.pth')
    for name, notes in (('copy.pth', 0), ('./copy.pth', 0), ('other.pth', 1)):
        made = planned(name)
        assert len(made['notes']) == notes
        place = str(tmp_path / osp.basename(name))
        assert chosen(made)['weights'] == place
        cfg = load_config(osp.join(work_dir, 'localizer.py'))
        assert osp.samefile(cfg.model.backbone.pretrained, place)


def test_a_folder_of_something_else(tagged_folder, tmp_path):
    folder = tmp_path / 'theirs'
    folder.mkdir()
    assert stored_plan(str(folder)) is None  # empty
    (folder / 'thesis.tex').write_text('precious')
    for place in (folder, folder / 'thesis.tex'):
        with pytest.raises(ConfigError, match='holds something else'):
            plan(*tagged_folder, str(place), **NONE)
    assert os.listdir(folder) == ['thesis.tex']
    (folder / 'plan.json').write_text('{"trip": "Rome"}')
    with pytest.raises(DataError, match='is no plan of mmwsss'):
        plan(*tagged_folder, str(folder), **NONE)
