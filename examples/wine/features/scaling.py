"""Bring measurements of different units to one scale."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Scale:
    """What `standardise` subtracts and divides by: one number a column.

    Learned from the training set alone and kept with the model, so that the test set
    can't leak into it.
    """

    centre: np.ndarray
    spread: np.ndarray


def learn_scale(values: np.ndarray) -> Scale:
    """The mean and standard deviation of each column of `values`, shape (wines, columns)."""
    return Scale(centre=values.mean(axis=0), spread=values.std(axis=0))


def standardise(values: np.ndarray, scale: Scale) -> np.ndarray:
    """`values`, shape (wines, columns), centred on 0 with a spread of 1."""
    return (values - scale.centre) / scale.spread
