"""The feature matrix: every measurement of every wine, on one scale."""

import numpy as np
import pandas as pd

from features.scaling import Scale, learn_scale, standardise

LABEL = "grower"


def measurements(wines: pd.DataFrame) -> np.ndarray:
    """All columns but the label, shape (wines, columns)."""
    return wines.drop(columns=LABEL).to_numpy(dtype=float)


def learn_features(wines: pd.DataFrame) -> Scale:
    """What must be known of the training set to build features for any wine."""
    return learn_scale(measurements(wines))


def feature_matrix(wines: pd.DataFrame, scale: Scale) -> np.ndarray:
    """The features of `wines`, shape (wines, columns)."""
    return standardise(measurements(wines), scale)
