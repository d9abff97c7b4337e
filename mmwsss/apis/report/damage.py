"""Files of a run that a report leaves out, and how they are made again."""
import os.path as osp
import shlex
from typing import Any, Dict, Optional

from mmwsss.files.json_files import read_json
from mmwsss.problems import DataError, Problems

PLAN = 'plan.json'


class Damage:
    """What could not be read of a run; one file costs one part of the page.

    Args:
        folder (str): Of the run.
    """

    def __init__(self, folder: str) -> None:
        self.lines = Problems(folder)
        self.command = 'the command that made it'
        for place in (folder, osp.join(folder, '..')):
            if osp.isfile(osp.join(place, PLAN)):
                self.command = _fit(osp.abspath(place))
                break

    def object(self, path: str, remedy: Optional[str] = None
               ) -> Dict[str, Any]:
        """What a JSON file holds; nothing where it is not there or damaged.

        Args:
            path (str): The file.
            remedy (str, optional): What makes it again. Defaults to None: its
                folder is made again.
        """
        if not osp.isfile(path):
            return {}
        try:
            content = read_json(path)
            if not isinstance(content, dict):
                raise DataError(f'{path}: a {type(content).__name__} instead '
                                'of an object')
            for name in ('inputs', 'settings', 'choices', 'request'):
                if not isinstance(content.get(name, {}), dict):
                    raise DataError(f'{path}: {name} is no object')
            return content
        except DataError as error:
            self.note(error, path, remedy or self.again(osp.dirname(path)))
            return {}

    def note(self, error: DataError, path: str, remedy: str) -> None:
        """Keep what is wrong with a file for the page.

        Args:
            error (DataError): What is wrong; it names the file.
            path (str): The file.
            remedy (str): What to do; files of one remedy are one line.
        """
        self.lines.add(f'left out: {error}; {remedy}', remedy,
                       osp.basename(path))

    def again(self, folder: str) -> str:
        """How the folder of a stage is made again."""
        return (f'to have it again, remove the folder {folder} and run '
                f'{self.command}')


def _fit(folder: str) -> str:
    """The command of a planned run, as its user gave it."""
    try:
        request = read_json(osp.join(folder, PLAN))['request']
        given = [str(request['photos']), str(request['labels'])]
    except (DataError, KeyError, TypeError):
        given = ['PHOTOS', 'LABELS']
    return shlex.join(['mmwsss', 'fit', *given, '--work-dir', folder])
