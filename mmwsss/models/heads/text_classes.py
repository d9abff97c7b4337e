"""Classes, and what is not one of them, as text embeddings."""
import logging
from typing import Optional, Sequence

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor

from mmwsss.datasets.text_embeddings import read_text_embeddings
from mmwsss.registry import DATASETS


class TextClasses(BaseModule):
    """The text embeddings that images are compared with.

    Words for the background compete with the classes: without them, what
    surrounds an object (water, grass, rails) counts as the class that it is
    often seen with (CLIP-ES, section 3.2).

    Args:
        num_classes (int): C.
        text_embeddings (str): ``.npz`` written by
            ``tools/extract_text_embeddings.py`` with the C classes, then the
            background words.
        background (Sequence[str]): The background words in the file's order.
            Defaults to (): none, with a warning.
        classes_of (str, optional): Registered data set whose class names the
            file has to have, in that order. Defaults to None: only the count
            is checked.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """
    text: Tensor

    def __init__(self,
                 num_classes: int,
                 text_embeddings: str,
                 background: Sequence[str] = (),
                 classes_of: Optional[str] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        classes = None
        if classes_of is not None:
            classes = DATASETS.get(classes_of).METAINFO['classes'][1:]
        embeddings = torch.from_numpy(read_text_embeddings(
            text_embeddings, classes, num_classes, background))
        self.num_classes = num_classes
        # (C + background words, E), unit length.
        self.register_buffer('text', F.normalize(embeddings, dim=-1))
        if not background:
            print_log(
                'no background words: what surrounds an object (water, '
                'grass) may count as the object; name some in `background`',
                'current', logging.WARNING)

    @property
    def class_text(self) -> Tensor:
        """Of the classes alone, (C, E)."""
        return self.text[:self.num_classes]

    def probabilities(self, embedding: Tensor, scale: float,
                      onehot: Optional[Tensor] = None) -> Tensor:
        """What images show, classes and background words competing.

        Args:
            embedding (Tensor): Of the images, (B, E).
            scale (float): Factor of the cosines before the softmax.
            onehot (Tensor, optional): Image-level labels, (B, C); classes
                that an image lacks do not compete. Defaults to None: all do.

        Returns:
            Tensor: Of the classes, (B, C).
        """
        return self._logits(embedding, scale, onehot).softmax(-1)[
            :, :self.num_classes]

    def log_odds(self, embedding: Tensor, scale: float, classes: Tensor,
                 onehot: Optional[Tensor] = None) -> Tensor:
        """Logits of :meth:`probabilities`, however sure these are.

        Args:
            embedding (Tensor): See there.
            scale (float): See there.
            classes (Tensor): K classes of each image, (B, K).
            onehot (Tensor, optional): See there.

        Returns:
            Tensor: A class against all others, (B, K).
        """
        logits = self._logits(embedding, scale, onehot)
        own = F.one_hot(classes, logits.shape[1]).bool()  # (B, K, T)
        others = logits[:, None].masked_fill(
            own, torch.finfo(logits.dtype).min).logsumexp(-1)
        return logits.gather(1, classes) - others

    def _logits(self, embedding: Tensor, scale: float,
                onehot: Optional[Tensor]) -> Tensor:
        """Scaled cosines with each text, (B, C + background words)."""
        logits = scale * F.normalize(embedding, dim=-1) @ self.text.t()
        if onehot is not None:
            absent = F.pad(onehot <= 0, (0, len(self.text) - onehot.shape[1]))
            logits = logits.masked_fill(
                absent, torch.finfo(logits.dtype).min)
        return logits
