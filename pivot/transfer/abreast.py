"""Two calls side by side, where starting a pool of threads would take longer than it saves."""

from collections.abc import Callable
from threading import Thread


def abreast[A, B](first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """What both return, the second one called in a thread; raises what one of them raised."""
    results: list[B] = []
    failures: list[BaseException] = []

    def call() -> None:
        try:
            results.append(second())
        except BaseException as error:  # noqa: BLE001 - it is raised where the call was made
            failures.append(error)

    thread = Thread(target=call, name="pivot-abreast")
    thread.start()
    try:
        result = first()
    finally:
        thread.join()
    if failures:
        raise failures[0]
    return result, results[0]
