import io

import pytest
from rich.console import Console

from mmwsss.apis import run_progress
from mmwsss.apis.run_progress import RunProgress

EXPECTED = dict(localizer=100., pseudo_train=20., segmentor=80.)


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests turn."""
    now = [0.]
    monkeypatch.setattr(run_progress.time, 'monotonic', lambda: now[0])
    return now


def progress(terminal=False):
    screen = io.StringIO()
    return RunProgress(EXPECTED, Console(
        file=screen, force_terminal=terminal, width=100)), screen


@pytest.mark.parametrize('pace', [0.5, 1., 3.])
def test_the_time_left_follows_the_pace(clock, pace):
    line, _ = progress()
    with line:
        assert line.share() == 0 and line.seconds_left() == 200
        line.stage('localizer')
        for done in range(1, 11):
            clock[0] += 10 * pace
            line.step(done, 10)
        assert line.share() == pytest.approx(0.5)
        assert line.seconds_left() == pytest.approx(100 * pace)
        line.stage('pseudo_train')
        clock[0] += 10 * pace
        line.step(1, 2)
        line.step(1, 40)  # a shorter part of the stage
        assert line.share() == pytest.approx(110 / 200)
        assert line.seconds_left() == pytest.approx(90 * pace)
    assert line.took == pytest.approx(dict(localizer=100 * pace,
                                           pseudo_train=10 * pace))


def test_what_was_finished_before_took_no_time(clock):
    line, _ = progress()
    with line:
        line.stage('segmentor')
        line.step(6, 10)  # resumed at the fifth
        clock[0] += 24
        line.step(8, 10)
        assert line.share() == pytest.approx((120 + 64) / 200)
        assert line.seconds_left() == pytest.approx(16)
        line.stage('something else')
        line.step(1, 1)


def test_a_stage_that_nobody_expected_takes_nothing_back(clock):
    line, _ = progress()
    with line:
        for name in ('localizer', 'pseudo_train'):
            line.stage(name)
            clock[0] += 10
        line.stage('doubtful_labels')
        line.step(1, 2)
        assert line.share() == pytest.approx(0.6)
        line.stage('segmentor')
        assert line.share() == pytest.approx(0.6)


@pytest.mark.parametrize('terminal', [False, True])
def test_the_screen_says_what_is_done(clock, terminal):
    line, screen = progress(terminal)
    with line:
        for name in EXPECTED:
            line.stage(name)
            line.step(1, 2)
    text = screen.getvalue()
    assert 'learning to segment' in text
    if not terminal:
        assert text.count('\n') == 3
