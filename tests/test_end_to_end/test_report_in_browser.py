"""The report as people see it: in a browser, with mouse and keyboard."""
import json

import pytest
from browsers import open_browser, set_screen
from report_runs import EVIL, make_run

from mmwsss.apis import write_report
from mmwsss.evaluation.photo_scores import FAILURES, SIGNS

SHOWN = 24  # cards before more are asked for


@pytest.fixture(scope='module')
def browser():
    with open_browser() as driver:
        yield driver


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    return 'file://' + write_report(
        make_run(str(tmp_path_factory.mktemp('report'))))


@pytest.fixture
def page(browser, report):
    """The page, opened anew on a desktop's screen."""
    set_screen(browser, 1280)
    browser.get_log('browser')
    browser.get(report)
    yield browser
    assert browser.get_log('browser') == []


def choose(browser, name, value):
    from selenium.webdriver.support.ui import Select
    Select(browser.find_element('name', name)).select_by_value(value)


def headings(browser):
    return browser.execute_script(
        'return [...document.querySelectorAll(".card h3")]'
        '.map(one => one.textContent)')


def scores(browser):
    return [float(text.split('IoU ')[1].split(' ')[0])
            for text in headings(browser)]


def test_names_stay_names_and_nothing_is_fetched(page):
    assert EVIL in page.execute_script(
        'return document.querySelector("main").textContent')
    assert page.execute_script(
        'return document.querySelectorAll("main b").length') == 0
    assert page.execute_script(
        'return performance.getEntriesByType("resource")'
        '.filter(one => !one.name.startsWith("data:")).length') == 0
    # No picture is broken.
    assert page.execute_script('''
        const all = [...document.querySelectorAll("img")];
        all.forEach(one => { one.loading = "eager"; });
        return Promise.all(all.map(one => one.decode()))
            .then(() => all.length)''') > 3 * SHOWN


def test_the_worst_come_first_and_more_are_shown_on_demand(page):
    first = scores(page)
    assert len(first) == SHOWN and first == sorted(first)
    button = page.find_element('css selector', '.more')
    page.execute_script('arguments[0].focus()', button)
    button.send_keys('\n')  # by the keyboard
    assert len(headings(page)) == 30 and not button.is_displayed()
    # One goes on where the new ones begin.
    assert page.execute_script(
        'return document.activeElement.getAttribute("aria-label")'
    ).startswith('Border between photo and mask')
    choose(page, 'order', 'best')
    best = scores(page)
    assert best == sorted(best, reverse=True) and best[0] == 100
    choose(page, 'order', 'name')
    assert headings(page) == sorted(headings(page),
                                    key=lambda text: text.lower())
    choose(page, 'order', 'doubt')
    assert 'doubt 100 %' in headings(page)[0]
    assert 'doubt 75 %' in headings(page)[1]
    # Of the others those that fail in most ways are the first.
    failed = [sum(name in one.text for name in (*FAILURES, *SIGNS))
              for one in page.find_elements('css selector',
                                            '.card .classes')][3:]
    assert failed == sorted(failed, reverse=True) and failed[0] > failed[-1]


def test_photos_are_filtered_by_class_and_failure(page):
    choose(page, 'class', '2')
    assert len(headings(page)) == 15
    status = page.find_element('css selector', '.status')
    assert status.text == '15 of 30 photos, 15 shown'
    choose(page, 'failure', 'missed')
    lines = [one.text for one in page.find_elements(
        'css selector', '.card .classes')]
    assert 0 < len(lines) < 15
    assert all('missed' in line and EVIL in line for line in lines)
    choose(page, 'failure', 'merged')
    assert headings(page) == []
    assert status.text == '0 of 30 photos, 0 shown'


def test_the_slider_moves_the_border_by_keyboard(page):
    from selenium.webdriver.common.keys import Keys
    slider = page.find_element('css selector', '.card input[type=range]')
    mask = page.find_element('css selector', '.card .wipe')
    before = mask.value_of_css_property('clip-path')
    page.execute_script('arguments[0].focus()', slider)
    slider.send_keys(Keys.ARROW_RIGHT)
    assert slider.get_attribute('value') == '31'
    assert mask.value_of_css_property('clip-path') != before
    slider.send_keys(Keys.END)
    assert '100%' in mask.value_of_css_property('clip-path')


def test_everything_is_reached_by_the_keyboard_and_has_a_name(page):
    from selenium.webdriver.common.keys import Keys
    body = page.find_element('tag name', 'body')
    seen = []
    for _ in range(60):
        body.send_keys(Keys.TAB) if not seen else (
            page.switch_to.active_element.send_keys(Keys.TAB))
        seen.append(page.execute_script('''
            const one = document.activeElement;
            const style = getComputedStyle(one);
            return [one.tagName, (one.getAttribute("aria-label")
                    || one.closest("label") && one.closest("label").textContent
                    || one.textContent).trim(), style.outlineStyle]'''))
    assert seen[0][:2] == ['A', 'To the results']
    assert {'A', 'SUMMARY', 'SELECT', 'INPUT'} <= {kind for kind, *_ in seen}
    # After the last element the page begins anew.
    seen = [one for one in seen if one[0] != 'BODY']
    assert len(seen) > 45
    assert [one for one in seen if not one[1] or one[2] == 'none'] == []
    assert page.execute_script('''
        return [...document.querySelectorAll("img")].every(
            one => one.hasAttribute("alt")) &&
            [...document.querySelectorAll("[role=img]")].every(
            one => one.getAttribute("aria-label"))''')


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_a_phone_shows_all_of_it(page, scheme):
    set_screen(page, 375, scheme=scheme)
    page.execute_script('document.querySelectorAll("details").forEach('
                        'one => { one.open = true; })')
    assert page.execute_script(
        'return document.documentElement.scrollWidth') <= 375
    # Letters can be told from what is behind them.
    for selector in ('body', '.card', 'select', '.matrix td.right'):
        ink, paper = page.execute_script('''
            const canvas = document.createElement("canvas")
                .getContext("2d", {willReadFrequently: true});
            const grey = colour => {
                canvas.fillStyle = colour;
                canvas.fillRect(0, 0, 1, 1);
                const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data]
                    .map(one => one / 255).map(one => one <= 0.04045
                    ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const style = getComputedStyle(
                document.querySelector(arguments[0]));
            grey(getComputedStyle(document.body).backgroundColor);
            return [grey(style.color), 0].map((one, i) => i === 0 ? one : (
                grey(getComputedStyle(document.body).backgroundColor),
                grey(style.backgroundColor)));''', selector)
        high, low = max(ink, paper), min(ink, paper)
        assert (high + 0.05) / (low + 0.05) > 4.5, selector


def test_a_phone_shows_rows_of_wide_tables_as_blocks(page):
    set_screen(page, 375)
    page.execute_script('document.querySelectorAll("details").forEach('
                        'one => { one.open = true; })')
    tables = page.execute_script('''
        return [...document.querySelectorAll("table.rows")].map(one =>
            [one.caption.textContent, one.parentElement.scrollWidth,
             one.parentElement.clientWidth,
             getComputedStyle(one.querySelector("td"), "::before").content,
             getComputedStyle(one.querySelector("tr")).display])
    ''')
    assert {'Stages', 'How much of the photos masks cover'} <= {
        name for name, *_ in tables}
    assert [one for one in tables if one[1] > one[2]] == []
    assert all(one[3] not in ('none', '""') and one[4] == 'block'
               for one in tables)
    # A desktop has room for columns.
    set_screen(page, 1280)
    assert page.execute_script('''return getComputedStyle(
        document.querySelector("table.rows tr")).display''') == 'table-row'


def test_dark_is_dark(page):
    set_screen(page, 1280, scheme='dark')
    colours = [page.find_element('tag name', 'body').value_of_css_property(
        name) for name in ('background-color', 'color')]
    values = [sum(json.loads('[' + one.split('(')[1].rstrip(')') + ']')[:3])
              for one in colours]
    assert values[0] < 150 < 600 < values[1]


def test_a_run_without_true_masks_and_photos_that_are_gone(
        browser, tmp_path):
    import shutil
    run = make_run(str(tmp_path), count=4, truths=False)
    shutil.rmtree(tmp_path / 'data')
    browser.get_log('browser')
    browser.get('file://' + write_report(run))
    text = browser.find_element('tag name', 'main').text
    assert 'The photo is not there any more.' in text
    assert 'covers 13 %' in text
    names = [one.text for one in browser.find_elements(
        'css selector', 'select[name=failure] option')]
    assert names == ['all photos', *SIGNS]
    assert len(headings(browser)) == 4
    choose(browser, 'failure', 'labelled, not in the mask')
    assert headings(browser) == []
    assert browser.get_log('browser') == []
