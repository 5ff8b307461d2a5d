"""How good predictions are, in a few numbers."""

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score, log_loss


def scores(actual: pd.Series, predicted: np.ndarray, chances: np.ndarray) -> dict[str, float]:
    """Accuracy, macro F1 and log loss, to four digits.

    Args:
        actual: the true labels, shape (wines,).
        predicted: the most likely labels, shape (wines,).
        chances: the probability of each label in sorted order, shape (wines, labels).
    """
    exact = {
        "accuracy": accuracy_score(actual, predicted),
        "f1": f1_score(actual, predicted, average="macro"),
        "log_loss": log_loss(actual, chances),
    }
    return {name: round(float(value), 4) for name, value in exact.items()}
