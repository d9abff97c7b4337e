import io

import pytest
from rich.console import Console

from mmwsss.apis import run_progress
from mmwsss.apis.run_progress import RunProgress, time_text

EXPECTED = dict(localizer=100., pseudo_train=20., segmentor=80.)


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests turn."""
    now = [0.]
    monkeypatch.setattr(run_progress.time, 'monotonic', lambda: now[0])
    return now


def progress(terminal=False, budget=None):
    screen = io.StringIO()
    return RunProgress(EXPECTED, Console(
        file=screen, force_terminal=terminal, width=200), budget), screen


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


def said(clock, pace, budget, resumed_at=0., stage='localizer'):
    """The lines of a run whose stages go at one pace."""
    line, screen = progress(budget=budget)
    with line:
        for name in list(EXPECTED)[list(EXPECTED).index(stage):]:
            line.stage(name)
            for done in range(int(20 * resumed_at) + 1, 21):
                clock[0] += EXPECTED[name] / 20 * pace
                line.step(done, 20)
            resumed_at = 0.
    return [text for text in screen.getvalue().splitlines()
            if 'slower' in text]


@pytest.mark.parametrize('pace, budget, warned', [
    (1., 222., False), (1.15, 222., False), (1.3, 222., True),
    (3., 222., True), (3., None, False), (3., 700., False)])
def test_too_little_time_is_said_once(clock, pace, budget, warned):
    lines = said(clock, pace, budget)
    assert len(lines) == warned
    if warned:
        late = time_text(200 * pace - budget)
        assert f'{late} later than --time-budget 3.7 min' in lines[0]
        assert 'Ctrl-C' in lines[0] and 'goes on' in lines[0]


def test_what_a_session_goes_on_with_has_the_time_for_itself(clock):
    assert not said(clock, 2., 222., stage='segmentor')
    assert not said(clock, 1.5, 222., resumed_at=0.5)
    assert said(clock, 4., 222., stage='segmentor', resumed_at=0.05)


def test_a_slow_beginning_is_no_pace(clock):
    line, screen = progress(budget=222.)
    with line:
        line.stage('localizer')
        clock[0] += 20  # the first batch, which waits for its photos
        line.step(1, 50)
        for done in range(2, 51):
            clock[0] += 2
            line.step(done, 50)
    assert 'slower' not in screen.getvalue()


def test_a_stage_that_nobody_expected_says_nothing_of_the_pace(clock):
    line, _ = progress()
    with line:
        line.stage('localizer')
        clock[0] += 100
        line.stage('doubtful_labels')
        clock[0] += 500
        line.stage('pseudo_train')
        assert line.seconds_left() == pytest.approx(100)


@pytest.mark.parametrize('seconds, text', [
    (45, '45 s'), (210, '3.5 min'), (7200, '2.0 h')])
def test_time_text(seconds, text):
    assert time_text(seconds) == text
