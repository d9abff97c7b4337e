"""Class tokens of crops against those of the image (ToCo's CTC)."""
import torch
from torch import Tensor, nn

from mmwsss.registry import MODELS

_EPS = 1e-4  # the published code's


@MODELS.register_module()
class CropTokenContrast(nn.Module):
    """Class-token contrast between global views and local crops.

    InfoNCE: the projected class token of each positive crop (and of the
    global views) should be like those of the teacher's global views, those of
    background crops should not. Logits are taken relative to the largest one,
    so that they cannot overflow; the small constant in the denominator is
    scaled along and the values are the published ones.

    Source: ToCo (CVPR 2023), equation 4, with the one more negative-only term
    of the published code.

    Args:
        temperature (float): Divides the products. Defaults to 0.5, as
            published.
        loss_weight (float): Factor on the loss. Defaults to 1.
    """

    def __init__(self,
                 temperature: float = 0.5,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        self.temperature = temperature
        self.loss_weight = loss_weight

    def forward(self, student: Tensor, teacher: Tensor,
                positive: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            student (Tensor): Projections of the global views and, after
                these, the crops, (crops, B, D).
            teacher (Tensor): The teacher's projections of the global views,
                (views, B, D).
            positive (Tensor): Which crops show an object, (B, crops).

        Returns:
            Tensor: Scalar loss.
        """
        logits = torch.einsum('vbd,cbd->vbc', teacher.detach(), student)
        logits = logits / self.temperature  # (views, B, crops)
        positive = positive.to(logits.dtype)
        # At least 0, the logit of the constants below.
        top = logits.detach().amax(-1, keepdim=True).clamp(min=0)
        exps = (logits - top).exp()
        negatives = (exps * (1 - positive)).sum(-1, keepdim=True)
        rest = negatives + _EPS * (-top).exp()
        pull = (exps + rest).log() - (logits - top)  # -log(p / (p + rest))
        push = ((-top).exp() + rest).log() + top  # -log(1 / (1 + rest))
        total = (pull * positive).sum(-1) + push.squeeze(-1)  # (views, B)
        count = positive.sum(-1) + _EPS
        return self.loss_weight * (total.mean(0) / count).mean()
