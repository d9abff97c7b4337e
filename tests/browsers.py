"""A browser without a window, where one is installed."""
import os
import shutil
from contextlib import contextmanager

import pytest


@contextmanager
def open_browser():
    """Selenium's driver of a headless Chromium; skips where there is none."""
    webdriver = pytest.importorskip(
        'selenium.webdriver', reason='needs selenium (pip install selenium)')
    chromium = shutil.which('chromium') or shutil.which('google-chrome')
    driver = shutil.which('chromedriver')
    if chromium is None or driver is None:
        pytest.skip('needs a browser: apt-get install chromium '
                    'chromium-driver')
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for one in ('--headless=new', '--disable-gpu', '--disable-dev-shm-usage',
                *(['--no-sandbox'] if os.geteuid() == 0 else [])):
        options.add_argument(one)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    browser = webdriver.Chrome(
        options, webdriver.ChromeService(executable_path=driver))
    try:
        yield browser
    finally:
        browser.quit()


def set_screen(browser, width, height=800, scheme='light'):
    """A screen of so many pixels, in light or dark colours."""
    browser.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', dict(
        width=width, height=height, deviceScaleFactor=1,
        mobile=width < 600))
    browser.execute_cdp_cmd('Emulation.setEmulatedMedia', dict(
        features=[dict(name='prefers-color-scheme', value=scheme)]))
