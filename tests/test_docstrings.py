"""The examples in the docstrings of mmwsss, run as they stand there."""
import doctest
import importlib
import os.path as osp
import pkgutil
import re

import pytest
import torch
from mmengine.logging import MMLogger

import mmwsss

MODULES = [importlib.import_module(module.name) for module in
           pkgutil.walk_packages(mmwsss.__path__, 'mmwsss.')]
FINDER = doctest.DocTestFinder(exclude_empty=True)
EXAMPLES = {example.name: example for module in MODULES for example in
            FINDER.find(module, extraglobs=dict(torch=torch))
            if example.examples}


@pytest.mark.parametrize('name', EXAMPLES)
def test_an_example_gives_what_it_shows(name):
    MMLogger.get_current_instance()  # so that its lines go where they did
    said = []
    failed, tried = doctest.DocTestRunner().run(EXAMPLES[name],
                                                out=said.append)
    assert tried and not failed, ''.join(said)
    shown = [example for example in EXAMPLES[name].examples if example.want]
    assert shown, 'shows no result: nothing would tell if it were wrong'


def test_no_example_is_passed_over():
    """A decorator without functools.wraps would hide an object's example."""
    written = 0
    for folder in mmwsss.__path__:
        for module in MODULES:
            assert module.__file__.startswith(folder + osp.sep)
            with open(module.__file__, encoding='utf-8') as file:
                written += len(re.findall(r'^\s*>>> ', file.read(), re.M))
    assert written == sum(len(example.examples)
                          for example in EXAMPLES.values()) > 0
