"""How much a classifier doubts the labels that images were given."""
import numpy as np


def label_doubt(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    r"""Doubt in each label, from probabilities of a classifier.

    The classifier must not have seen the label that it judges. It has learnt
    from labels like these, so for a class that few images have its
    probabilities are low everywhere; they are seen relative to the share
    :math:`\pi` of images with the class, the class's own level as in
    confident learning (Northcutt et al., "Confident Learning: Estimating
    Uncertainty in Dataset Labels", JAIR 2021):

    - a class that is labelled has the doubt :math:`1 - q`, where the odds of
      :math:`q` are those of the probability over those of :math:`\pi`. This
      is Bayes' rule if wrong labels fall on a class as often as right ones
      do, half of either;
    - a class that is not labelled has the probability itself as its doubt:
      Bayes' rule if labels are forgotten as often in all classes.

    Args:
        probabilities (np.ndarray): Of each class in each image, in [0, 1],
            (N, C); NaN where nothing is known.
        labels (np.ndarray): Multi-hot, (N, C).

    Returns:
        np.ndarray: Doubt in [0, 1], float64, (N, C); NaN where nothing is
        known.

    Example:
        >>> probabilities = np.array([[0.9], [0.2], [0.2], [0.1]])
        >>> label_doubt(probabilities, np.array([[1], [1], [0], [0]])).round(1)
        array([[0.1],
               [0.8],
               [0.2],
               [0.1]])
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    present = np.asarray(labels) > 0
    share = present.mean(0)  # (C, )
    yes = probabilities * (1 - share)
    no = (1 - probabilities) * share
    # Both are 0 where the classifier is as sure as the labels are one-sided.
    total = yes + no
    relative = np.divide(no, total, out=np.full_like(total, 0.5),
                         where=total != 0)
    return np.where(present, relative, probabilities)
