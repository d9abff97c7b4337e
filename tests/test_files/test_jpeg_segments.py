"""The segments of a JPEG, and tables that are nearly the standard's."""
import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from mmwsss.files.jpeg_segments import (
    DHT,
    EOI,
    SOS,
    altered_table,
    quantization_tables,
    segments,
    without_last_byte,
)


def encoded(**options):
    photo = np.random.default_rng(0).integers(0, 99, (48, 64, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, 'JPEG', **options)
    return buffer.getvalue()


OPTIONS = [dict(quality=90), dict(progressive=True), dict(optimize=True),
           dict(restart_marker_rows=1), dict(quality=1), dict(quality=100),
           dict(qtables='web_high')]


@pytest.mark.parametrize('options', OPTIONS)
def test_segments_end_at_the_end_marker(options):
    content = encoded(**options)
    # What cameras append is no part of the image, though it looks like one.
    found = list(segments(content + content))
    assert found[-1] == (EOI, len(content) - 2, len(content) - 2)
    assert any(part.marker == SOS for part in found)
    with pytest.raises(LookupError):
        list(segments(content[:-2]))


@pytest.mark.parametrize('options', OPTIONS)
def test_without_the_last_byte_the_decoder_warns(options):
    content = encoded(**options)
    simplejpeg.decode_jpeg(content)
    cut = without_last_byte(content + content)
    assert len(cut) < 2 * len(content) and cut.endswith(content)
    with pytest.raises(ValueError):
        simplejpeg.decode_jpeg(cut)


@pytest.mark.parametrize('options', OPTIONS)
def test_tables_of_encoders_are_not_altered(options):
    assert altered_table(encoded(**options)) is None


@pytest.mark.parametrize('index', [0, 3, 40, 63])
@pytest.mark.parametrize('quality', [30, 75, 95])
def test_a_wrong_step(quality, index):
    content = bytearray(encoded(quality=quality))
    _, place, _ = next(quantization_tables(content))
    content[place + index] ^= 32
    assert 'quantization' in altered_table(bytes(content))


def test_a_wrong_symbol():
    content = bytearray(encoded())
    tables = [part for part in segments(bytes(content)) if part.marker == DHT]
    longest = max(tables, key=lambda part: part.end - part.start)
    content[longest.end - 100] ^= 1
    assert 'table of codes' in altered_table(bytes(content))


@pytest.mark.parametrize('content', [b'', b'\xff\xd8', b'\xff\xd8\xff\xdb\0'])
def test_pieces(content):
    assert altered_table(content) is None
