"""From source text to a syntax tree, silently."""

import ast
import warnings


def parse(source: str | bytes) -> ast.Module:
    r"""The tree of `source`; bytes are decoded as Python would, by their coding line.

    Raises `SyntaxError`, or `ValueError` for NUL characters, undecodable text and code that is
    nested too deep to be parsed. Warnings, as for `"\d"`, are the business of whoever runs it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (RecursionError, MemoryError) as error:
            raise ValueError("it is nested too deep") from error
