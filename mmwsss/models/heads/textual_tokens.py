"""Class tokens that start from the names of the classes."""
from typing import List, Optional

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmwsss.datasets.text_embeddings import read_text_embeddings
from mmwsss.registry import DATASETS, MODELS


def context_mlp(in_channels: int, channels: int) -> nn.Sequential:
    """LayerNorm and two layers, whose output starts at zero.

    Added as a residual it changes nothing at first, so that training starts
    from the pre-trained network.

    Args:
        in_channels (int): Width of the context.
        channels (int): D, width of the tokens that it is added to.

    Returns:
        nn.Sequential: (..., in_channels) -> (..., channels).
    """
    first = nn.Linear(in_channels, channels)
    last = nn.Linear(channels, channels)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.LayerNorm(in_channels), first, nn.GELU(), last)


@MODELS.register_module()
class TextualTokens(BaseModule):
    """Frozen text embeddings (C, E) -> two-layer MLP -> tokens (C, D).

    With ``image_context`` each token also receives, through an MLP and a
    residual, the normalised element-wise product of the photo's CLIP image
    embedding and the class's text embedding (MMCT, abstract: image-language
    context).

    Args:
        num_classes (int): C, number of classes.
        embed_dims (int): D, width of the tokens.
        text_embeddings (str): ``.npz`` written by
            ``tools/extract_text_embeddings.py``, or 'learned' for classes
            without a name in language.
        image_context (bool): Whether tokens receive the image context.
            Defaults to False.
        classes_of (str, optional): Registered data set whose class names the
            file has to have, in that order. Defaults to None: only the count
            is checked.
        init_cfg (dict, optional): See mmengine's ``BaseModule``.
    """

    def __init__(self,
                 num_classes: int,
                 embed_dims: int,
                 text_embeddings: str,
                 image_context: bool = False,
                 classes_of: Optional[str] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if text_embeddings == 'learned':
            self.embeddings = nn.Parameter(
                torch.randn(num_classes, embed_dims))
        else:
            classes = None
            if classes_of is not None:
                classes = DATASETS.get(classes_of).METAINFO['classes'][1:]
            embeddings = torch.from_numpy(read_text_embeddings(
                text_embeddings, classes=classes, num_classes=num_classes))
            embeddings = F.normalize(embeddings, dim=-1)
            # Unit variance instead of unit length suits the MLP's default
            # initialisation.
            self.register_buffer('embeddings',
                                 embeddings * embeddings.shape[1]**0.5)
        width = self.embeddings.shape[1]
        self.mlp = nn.Sequential(
            nn.Linear(width, embed_dims), nn.GELU(),
            nn.Linear(embed_dims, embed_dims))
        self.context = None
        if image_context:
            self.context = context_mlp(width, embed_dims)

    def forward(self, data_samples: Optional[List[SegDataSample]],
                batch_size: int) -> Tensor:
        """Textual tokens of a batch.

        Args:
            data_samples (list[SegDataSample], optional): With
                ``image_embedding`` (E,) where ``image_context`` is on; else
                not read.
            batch_size (int): B.

        Returns:
            Tensor: (B, C, D).

        Raises:
            ValueError: If the image context is on and there are no samples.
        """
        tokens = self.mlp(self.distinct_embeddings())  # (C, D)
        tokens = tokens.expand(batch_size, -1, -1)
        if self.context is not None:
            if data_samples is None:
                raise ValueError('TextualTokens.image_context needs samples '
                                 'with image_embedding; set it to False for '
                                 'bare images')
            images = torch.stack([s.image_embedding for s in data_samples])
            product = F.normalize(images[:, None] * self.embeddings, dim=-1)
            tokens = tokens + self.context(product)
        return tokens

    def distinct_embeddings(self) -> Tensor:
        """Frozen embeddings without what all classes share, (C, E).

        CLIP's embeddings of class names are much alike (mean cosine 0.81 for
        the 20 of VOC), and the common part tells no class from another.
        """
        if self.embeddings.requires_grad or len(self.embeddings) == 1:
            return self.embeddings
        own = self.embeddings - self.embeddings.mean(0)
        return F.normalize(own, dim=-1) * own.shape[1]**0.5
