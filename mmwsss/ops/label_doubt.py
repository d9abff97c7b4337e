"""How much a classifier doubts the labels that images were given."""
import math

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


def most_doubtful(doubt: np.ndarray, share: float) -> np.ndarray:
    """The labels worth a look: all doubts of the most doubtful images.

    A classifier doubts many labels that are right, of few images above all,
    from which it has learnt little. So no more images are listed than wrong
    labels plausibly explain; an image counts with its greatest doubt. What
    is more likely right than wrong, a doubt below 0.5, is never listed.

    Args:
        doubt (np.ndarray): In [0, 1], (N, C); NaN where nothing is known.
        share (float): At most this share of the images is listed, rounded up
            to a whole image.

    Returns:
        np.ndarray: Image and class of each label, (K, 2), the most doubtful
        first.

    Example:
        >>> doubt = np.array([[0.9, 0.6], [0.7, 0.1], [0.2, 0.8]])
        >>> most_doubtful(doubt, 1 / 3).tolist()
        [[0, 0], [0, 1]]
    """
    doubt = np.nan_to_num(np.asarray(doubt, dtype=np.float64), nan=-1.)
    # Rounded: 0.07 * 100 is a little more than 7.
    most = math.ceil(round(share * len(doubt), 6))
    images = np.argsort(-doubt.max(1), kind='stable')[:most]
    listed = np.zeros(doubt.shape, dtype=bool)
    listed[images] = doubt[images] >= 0.5
    order = np.argsort(-doubt, axis=None, kind='stable')
    places = np.stack(np.unravel_index(order, doubt.shape), axis=1)
    return places[listed.ravel()[order]]
