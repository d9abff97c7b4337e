"""Installs mmwsss; configs, tools and the model index travel inside."""
import os
import os.path as osp
import shutil

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = osp.dirname(osp.abspath(__file__))
MIM_FOLDERS = ('configs', 'tools')
MIM_FILES = ('model-index.yml', )


def read(*parts):
    """Text of a file of the project."""
    with open(osp.join(HERE, *parts), encoding='utf-8') as file:
        return file.read()


def requirements(name):
    """Requirement lines of requirements/<name>.txt."""
    lines = read('requirements', f'{name}.txt').splitlines()
    return [line for line in lines if line and not line.startswith('#')]


class BuildWithMim(build_py):
    """Puts what OpenMMLab's ``mim`` looks for under mmwsss/.mim."""

    def run(self):
        """Build, then add ``mmwsss/.mim``."""
        super().run()
        if getattr(self, 'editable_mode', False):
            return  # an editable install has them at its top level
        for folder in MIM_FOLDERS:
            target = osp.join(self.build_lib, 'mmwsss', '.mim', folder)
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(
                osp.join(HERE, folder), target,
                ignore=shutil.ignore_patterns('__pycache__', '*.pyc'))
        for name in MIM_FILES:
            shutil.copy(osp.join(HERE, name),
                        osp.join(self.build_lib, 'mmwsss', '.mim', name))

    def get_outputs(self, include_bytecode=1):
        """List the added files, so that an uninstall removes them."""
        outputs = super().get_outputs(include_bytecode)
        mim = osp.join(self.build_lib, 'mmwsss', '.mim')
        for folder, _, files in os.walk(mim):
            outputs += [osp.join(folder, name) for name in files]
        return outputs


namespace = {}
exec(read('mmwsss', 'version.py'), namespace)

setup(
    name='mmwsss',
    version=namespace['__version__'],
    description='Weakly supervised semantic segmentation for OpenMMLab: from '
    'image-level labels to masks to a segmentation network',
    long_description=read('README.md'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['mmwsss', 'mmwsss.*']),
    entry_points=dict(console_scripts=['mmwsss = mmwsss.__main__:main']),
    package_data={'': ['*.pyi'], 'mmwsss.visualization': ['published.json'],
                  'mmwsss.visualization.report': ['page.*']},
    install_requires=requirements('runtime'),
    extras_require=dict(coco=requirements('coco'),
                        heic=requirements('heic'),
                        sam=requirements('sam'),
                        superpixels=requirements('superpixels'),
                        tests=requirements('tests'),
                        timm=requirements('timm')),
    cmdclass=dict(build_py=BuildWithMim),
    classifiers=[
        'License :: OSI Approved :: Apache Software License',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ])
