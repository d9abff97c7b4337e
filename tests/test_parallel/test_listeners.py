import pytest

from mmwsss.apis import run_pipeline
from mmwsss.parallel.listeners import current_listener, told_to
from mmwsss.parallel.progress import in_threads


class Heard:
    """A listener that remembers what it is told."""

    def __init__(self):
        self.stages = {}

    def stage(self, name):
        self.steps = self.stages[name] = []

    def step(self, done, total):
        self.steps.append((done, total))


def test_hears_of_images(capsys):
    heard = Heard()
    heard.stage('photos')
    with told_to(heard):
        assert list(in_threads(str, range(5), 'Photos', 5)) == list('01234')
    assert heard.steps == [(i, 5) for i in range(1, 6)]
    assert current_listener() is None
    assert 'Photos' not in capsys.readouterr().out


def test_is_forgotten_after_an_error():
    with pytest.raises(KeyError):
        with told_to(Heard()):
            raise KeyError
    assert current_listener() is None


def test_hears_of_a_whole_path(localizer_config, segmentor_config, tmp_path):
    for _ in range(2):
        heard = Heard()
        with told_to(heard):
            run_pipeline(localizer_config, segmentor_config,
                         str(tmp_path / 'all'))
        if not tmp_path.joinpath('again').exists():
            assert list(heard.stages) == ['localizer', 'pseudo_train',
                                          'pseudo_val', 'segmentor', 'test']
            assert heard.stages['localizer'] == [(i, 4) for i in range(1, 5)]
            assert heard.stages['segmentor'][-1] == (4, 4)
            for name in ('pseudo_train', 'pseudo_val', 'test'):
                assert (8, 8) in heard.stages[name]
            tmp_path.joinpath('again').touch()
    assert heard.stages == {}  # nothing was left to do
