"""What every refiner of maps shares, and refiners one after the other."""
import hashlib
import json
from abc import ABC, abstractmethod
from typing import Dict, List, Optional, Sequence, Tuple

from torch import Tensor

from mmwsss.registry import REFINERS


class BaseRefiner(ABC):
    """Makes the maps of one image better, with the photo at hand.

    A refiner implements :meth:`refine`. Its public attributes are its
    settings: :meth:`fingerprint` covers them all. What it keeps for another
    reason, such as a network that it loads with the first image, has a name
    that begins with an underscore. Refiners are sent to other processes, so
    they have to be picklable before they refine their first image.

    Args:
        device (str, optional): Where it computes, e.g. 'cuda:0'. A refiner
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

    def __call__(self, image: Tensor, maps: Tensor,
                 labels: Tensor) -> Tensor:
        """:meth:`refine` on the refiner's device; no class, no work."""
        if not len(maps):
            return maps
        if self.device is None:
            return self.refine(image, maps, labels)
        image, there, labels = (x.to(self.device)
                                for x in (image, maps, labels))
        return self.refine(image, there, labels).to(maps.device)

    def inputs(self) -> Dict[str, str]:
        """Digests of the files and weights that it reads.

        Returns:
            dict[str, str]: By the name of the public attribute that says
            where the file is; the digest takes its place in
            :meth:`fingerprint`.
        """
        return {}

    def fingerprint(self) -> str:
        """A digest of everything that its maps depend on but the image.

        Two refiners with one fingerprint give the same maps, wherever their
        files lie and on whatever device they work.

        Returns:
            str: SHA-256, hexadecimal.
        """
        settings = {name: value for name, value in vars(self).items()
                    if not name.startswith('_') and name != 'device'}
        settings.update(self.inputs())
        text = json.dumps([type(self).__name__, settings], default=repr,
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

    def __call__(self, image: Tensor, maps: Tensor,
                 labels: Tensor) -> Tensor:
        """Maps (K, H, W) after all of them, clamped to [0, 1]."""
        for refiner in self.refiners:
            maps = refiner(image, maps, labels)
        return maps.clamp(0, 1)

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
