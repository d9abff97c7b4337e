"""Probabilities of labels, each from classifiers that did not see it."""
import numpy as np

# Inverse strength of the penalty on standardised features; docs/own_photos.md
# says what it was measured on.
_STRENGTH = 0.01


def held_out_probabilities(features: np.ndarray, labels: np.ndarray,
                           folds: int = 5, seed: int = 0) -> np.ndarray:
    """What logistic regressions on the other folds say of each label.

    For each class the images are divided into folds that have equal shares of
    the class; a regression is fitted to all folds but one, and judges that
    one. Feature by feature, the mean is 0 and the variance 1 in what it is
    fitted to.

    Args:
        features (np.ndarray): Of the images, (N, D).
        labels (np.ndarray): Multi-hot, (N, C).
        folds (int): Number of folds. Defaults to 5.
        seed (int): What the division follows from. Defaults to 0.

    Returns:
        np.ndarray: Probabilities, float64, (N, C); NaN for a class that fewer
        than ``folds`` images have, or that fewer lack.

    Example:
        >>> features = np.repeat([[1.], [-1.]], 20, axis=0)
        >>> labels = features > 0
        >>> labels[0] = False
        >>> found = held_out_probabilities(features, labels)
        >>> found.shape, bool(found[0] > 0.5)
        ((40, 1), True)
    """
    # Half a second to import, which others need not wait for.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    features = np.asarray(features, dtype=np.float64)
    present = np.asarray(labels) > 0
    found = np.full(present.shape, np.nan)
    for index in np.flatnonzero(judged_classes(labels, folds)):
        target = present[:, index]
        parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
        for others, held_out in parts.split(features, target):
            classifier = make_pipeline(
                StandardScaler(),
                LogisticRegression(C=_STRENGTH, max_iter=1000))
            classifier.fit(features[others], target[others])
            found[held_out, index] = classifier.predict_proba(
                features[held_out])[:, 1]
    return found


def judged_classes(labels: np.ndarray, folds: int) -> np.ndarray:
    """Which classes enough images have, and enough lack, for each fold.

    Args:
        labels (np.ndarray): Multi-hot, (N, C).
        folds (int): Number of folds.

    Returns:
        np.ndarray: bool, (C, ).
    """
    count = (np.asarray(labels) > 0).sum(0)
    return (count >= folds) & (len(labels) - count >= folds)
