"""What every refiner of maps shares, and refiners one after the other."""
import hashlib
import json
import os.path as osp
from abc import ABC, abstractmethod
from typing import Any, Dict, List, Optional, Sequence, Tuple

from torch import Tensor

from mmwsss.files.digests import file_digest
from mmwsss.registry import REFINERS


class BaseRefiner(ABC):
    """Makes the maps of one image better, with the photo at hand.

    A refiner implements :meth:`refine`. Its public attributes are its
    settings: :meth:`fingerprint` covers them all. What it keeps for another
    reason, such as a network that it loads with the first image, has a name
    that begins with an underscore. Refiners are sent to other processes, so
    they have to be picklable before they refine their first image.

    Args:
        device (str, optional): Where it computes, e.g. 'cuda'. A refiner
            with a device works in the process of the network; the others work
            in processes of their own, one CPU thread each. Defaults to None:
            the CPU.

    Example:
        >>> class Darker(BaseRefiner):
        ...     def __init__(self, factor: float = 0.5) -> None:
        ...         super().__init__()
        ...         self.factor = factor
        ...
        ...     def refine(self, image, maps, labels):
        ...         return self.factor * maps
        >>> image = torch.zeros(3, 4, 5, dtype=torch.uint8)
        >>> Darker()(image, torch.ones(1, 4, 5), torch.tensor([7])).max()
        tensor(0.5000)
        >>> Darker(0.5).fingerprint() == Darker(0.4).fingerprint()
        False
    """

    def __init__(self, device: Optional[str] = None) -> None:
        self.device = device

    @abstractmethod
    def refine(self, image: Tensor, maps: Tensor, labels: Tensor) -> Tensor:
        """Refine the maps of an image that has at least one class.

        Args:
            image (Tensor): RGB, uint8, (3, H, W).
            maps (Tensor): In [0, 1], (K, H, W).
            labels (Tensor): The K 0-based classes.

        Returns:
            Tensor: In [0, 1], (K, H, W).
        """

    def refine_named(self, image: Tensor, maps: Tensor, labels: Tensor,
                     name: str) -> Tensor:
        """:meth:`refine` of an image whose name is known.

        A refiner that reads a file of each image replaces this one.

        Args:
            image (Tensor): See :meth:`refine`.
            maps (Tensor): See :meth:`refine`.
            labels (Tensor): See :meth:`refine`.
            name (str): What the image is called, without folder and
                extension.
        """
        return self.refine(image, maps, labels)

    def check_images(  # noqa: B027 - most read nothing of the images
            self, names: Sequence[str]) -> None:
        """Raise if something that it reads of these images is missing.

        It is asked before the first image is refined.

        Args:
            names (Sequence[str]): What they are called, without folder and
                extension.

        Raises:
            DataError: Naming all files that are missing.
        """

    def __call__(self, image: Tensor, maps: Tensor, labels: Tensor,
                 name: Optional[str] = None) -> Tensor:
        """Refine on the refiner's device; no class, no work."""
        if not len(maps):
            return maps
        there = maps
        if self.device is not None:
            image, there, labels = (x.to(self.device)
                                    for x in (image, maps, labels))
        refined = (self.refine(image, there, labels) if name is None else
                   self.refine_named(image, there, labels, name))
        return refined.to(maps.device)

    def inputs(self) -> Dict[str, str]:
        """Digests of the files and weights that it reads.

        By default every public attribute that is the path of a file. A
        refiner that reads something else, such as a URL, adds it here.

        Returns:
            dict[str, str]: By the name of the public attribute that says
            where the file is; the digest takes its place in
            :meth:`settings`.
        """
        return {name: file_digest(value) for name, value in vars(self).items()
                if isinstance(value, str) and not name.startswith('_')
                and osp.isfile(value)}

    def settings(self) -> Dict[str, Any]:
        """All that its maps depend on but the image, by name.

        Raises:
            TypeError: If a public attribute is no plain value, which has no
                digest that can be relied on.
        """
        settings = {name: value for name, value in vars(self).items()
                    if not name.startswith('_') and name != 'device'}
        settings.update(self.inputs())
        for name, value in settings.items():
            try:
                json.dumps(value)
            except TypeError as error:
                raise TypeError(
                    f'{type(self).__name__}.{name} is no plain value '
                    f'({error}): name it with an underscore, or put its '
                    'digest into inputs()') from error
        return settings

    def fingerprint(self) -> str:
        """A digest of everything that its maps depend on but the image.

        Two refiners with one fingerprint give the same maps, wherever their
        files lie and on whatever device they work.

        Returns:
            str: SHA-256, hexadecimal.
        """
        text = json.dumps([type(self).__name__, self.settings()],
                          sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class RefinerChain:
    """Refiners in the order in which they are applied.

    Args:
        refiners (Sequence[dict | BaseRefiner]): Configs of refiners, or
            refiners; none leaves maps as they are.
    """

    def __init__(self, refiners: Sequence) -> None:
        self.refiners: List[BaseRefiner] = [
            REFINERS.build(dict(one)) if isinstance(one, dict) else one
            for one in refiners]

    def __len__(self) -> int:
        return len(self.refiners)

    def __call__(self, image: Tensor, maps: Tensor, labels: Tensor,
                 name: Optional[str] = None) -> Tensor:
        """Maps (K, H, W) after all of them, clamped to [0, 1]."""
        for refiner in self.refiners:
            maps = refiner(image, maps, labels, name)
        return maps.clamp(0, 1)

    def check_images(self, names: Sequence[str]) -> None:
        """See :class:`BaseRefiner`."""
        for refiner in self.refiners:
            refiner.check_images(names)

    def fingerprint(self) -> str:
        """A digest of what the maps depend on, see :class:`BaseRefiner`."""
        prints = ' '.join(one.fingerprint() for one in self.refiners)
        return hashlib.sha256(prints.encode()).hexdigest()

    def split(self) -> Tuple['RefinerChain', 'RefinerChain']:
        """What works beside the network, and what other processes can do.

        Order counts, so all refiners up to the last one that has a device
        work in the process of the network.
        """
        last = max((i + 1 for i, one in enumerate(self.refiners)
                    if one.device is not None), default=0)
        return (RefinerChain(self.refiners[:last]),
                RefinerChain(self.refiners[last:]))
