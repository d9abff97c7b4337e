"""Paths that stay right where a folder and what lies near it are moved."""
import os.path as osp


def near_path(path: str, folder: str, up: int = 2) -> str:
    """A path as it is found from a folder, if it lies in it or near it.

    Args:
        path (str): Of a file or folder.
        folder (str): From where it is to be found.
        up (int): Folders that are left, at most, on the way. Defaults to 2.

    Returns:
        str: A relative path; ``path`` itself where it lies further off, where
        the root of the disk is all that they share, or where the system would
        not find it so, behind a link.

    Example:
        >>> near_path('/pets/photos', '/pets/run')
        '../photos'
        >>> near_path('/data/pets', '/home/me/run')
        '/data/pets'
    """
    path, folder = osp.abspath(path), osp.abspath(folder)
    near = osp.relpath(path, folder)
    far = near.split(osp.sep).count(osp.pardir) > up
    # The parent of a link to a folder is not where the link lies.
    if (far or osp.commonpath([path, folder]) == osp.sep
            or osp.realpath(osp.join(folder, near)) != osp.realpath(path)):
        return path
    return near
