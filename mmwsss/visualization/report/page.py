"""The page of a report: one file that opens from disk, without a network."""
import base64
import hashlib
import os.path as osp
import re
from typing import Any, Optional

from mmwsss.files.text_files import read_text

from .blocks import Report

_HERE = osp.dirname(__file__)
_DIGEST = re.compile(rb'name="mmwsss-digest" content="([0-9a-f]*)"')
_HEAD = 4096  # bytes of a page that hold its digest


def page(report: Report) -> str:
    """The HTML of a report; whatever names stand in it, they are only text.

    Args:
        report (Report): What it says.
    """
    import jinja2
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, loader=jinja2.FileSystemLoader(_HERE))
    environment.filters['cell'] = _cell
    script, style = (read_text(osp.join(_HERE, name))
                     for name in ('page.js', 'page.css'))
    # The browser runs this script and no other.
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest())
    return environment.get_template('page.html').render(
        report=report, script=script, style=style,
        script_hash=hashed.decode())


def page_digest(path: str) -> Optional[str]:
    """What a page on disk was made from; None if it is no page of ours.

    Args:
        path (str): The file; it need not be there.
    """
    try:
        with open(path, 'rb') as file:
            found = _DIGEST.search(file.read(_HEAD))
    except OSError:
        return None
    return found[1].decode() if found else None


def _cell(value: Any) -> str:
    """A value of a table as text."""
    if value is None or value != value:
        return '–'
    if isinstance(value, float):
        return f'{value:.1f}' if abs(value) >= 1 else f'{value:.3g}'
    return f'{value:,}' if isinstance(value, int) else str(value)
