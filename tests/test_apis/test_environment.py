"""Machine and versions beside the results."""
import json

import mmwsss
from mmwsss.apis.environment import environment


def test_versions_and_machine_are_named():
    found = environment()
    assert found['mmwsss'] == mmwsss.__version__
    assert int(found['cores']) >= 1
    assert {'processor', 'system', 'Python', 'torch', 'numpy'} <= set(found)
    assert json.loads(json.dumps(found)) == found
