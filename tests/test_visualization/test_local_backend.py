"""What a run writes of its numbers is valid JSON."""
import json
import math

import numpy as np
import pytest
from mmengine.config import Config

from mmwsss.registry import VISBACKENDS


def _no_constant(name):
    raise ValueError(name)


@pytest.mark.parametrize('value', [
    math.nan, math.inf, -math.inf, np.float64('nan'), np.float32('nan')])
def test_what_is_not_finite_is_null(value, tmp_path):
    backend = VISBACKENDS.build(dict(
        type='LocalVisBackend', save_dir=str(tmp_path)))
    backend.add_config(Config(dict(a=1)))
    backend.add_scalars(dict(score=value, loss=0.5, step=3),
                        file_path='other.json')
    backend.add_scalar('score', value)
    lines = [json.loads(line, parse_constant=_no_constant) for name in
             ('scalars.json', 'other.json')
             for line in (tmp_path / name).read_text().splitlines()]
    assert [row['score'] for row in lines] == [None] * 3
    assert lines[0]['loss'] == 0.5 and lines[0]['step'] == 3
