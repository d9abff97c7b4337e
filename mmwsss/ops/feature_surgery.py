"""Text evidence of tokens without what all classes share (ExCEL)."""
import torch
from torch import Tensor


def feature_surgery(tokens: Tensor, text: Tensor) -> Tensor:
    """How much more each token agrees with a text than with all of them.

    CLIP Surgery (Li et al. 2023) in the form of ExCEL (CVPR 2025): a token's
    agreement with a text is weighted by how well the text describes the
    whole image; what is common to all texts is redundant and is taken away.

    Args:
        tokens (Tensor): The class token, then the N patches, projected to
            the space of the texts, (B, 1 + N, E).
        text (Tensor): Unit length, (T, E).

    Returns:
        Tensor: Of the patches and the class token, of any sign,
        (B, 1 + N, T).
    """
    agreement = tokens @ text.t()  # (B, 1 + N, T)
    weight = (2 * agreement[:, :1]).softmax(-1)
    agreement = agreement * weight / weight.mean(-1, keepdim=True)
    return agreement - agreement.mean(-1, keepdim=True)


def attribute_prototypes(text: Tensor, centers: Tensor,
                         drop: float = 0.1) -> Tensor:
    """Class texts enriched by the attributes that they attend to (TSE).

    ExCEL, section 3.2: a class is its own text plus a weighted mean of the
    cluster centres of many descriptions, without those that agree least.

    Args:
        text (Tensor): Of the classes, unit length, (C, E).
        centers (Tensor): Of K clusters of descriptions, (K, E).
        drop (float): Share of the centres that a class leaves out, in
            [0, 1). Defaults to 0.1 (published code).

    Returns:
        Tensor: Unit length, (C, E).
    """
    score = text @ centers.t()  # (C, K)
    # As published: 1 - 0.9 is a little less than 0.1, so that of 30 centres
    # two are left out, not three.
    lowest = score.topk(int((1 - (1 - drop)) * len(centers)), dim=1,
                        largest=False).indices
    score = score.scatter(1, lowest, -torch.inf)
    enriched = score.softmax(1) @ centers + text
    return enriched / enriched.norm(dim=1, keepdim=True)
