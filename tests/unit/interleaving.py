"""Two or more clients whose calls of one storage are made one at a time, in every order.

Each client is a function in a thread of its own. Whenever all that live wait at a call, a schedule
says whose turn it is; so a run is a list of choices, and all runs are all lists.
"""

import threading
from collections.abc import Callable, Iterator


class Turns:
    """Lets one call at a time through, in the order that `choices` says; afterwards the first.

    `taken` is the order that came of it, as (client, how many could have been chosen).
    """

    def __init__(self, clients, choices):
        self._changed = threading.Condition()
        self._waiting = dict.fromkeys(range(clients), 0)
        self._alive = set(range(clients))
        self._turn = None
        self._choices = list(choices)
        self.taken = []

    def wait(self, client):
        """Wait for a turn of `client`; the caller ends it with `end`."""
        with self._changed:
            self._waiting[client] += 1
            self._choose()
            assert self._changed.wait_for(lambda: self._turn == client, timeout=60)
            self._turn = -1
            self._waiting[client] -= 1

    def end(self):
        """The call is done; whose turn is next is chosen when all wait again."""
        with self._changed:
            self._turn = None
            self._choose()

    def leave(self, client):
        """The client makes no more calls."""
        with self._changed:
            self._alive.discard(client)
            self._choose()

    def _choose(self):
        ready = [client for client in sorted(self._alive) if self._waiting[client]]
        if self._turn is not None or not ready or len(ready) < len(self._alive):
            return
        at = len(self.taken)
        choice = self._choices[at] if at < len(self._choices) else self._default(ready)
        self._turn = choice if choice in ready else ready[0]
        self.taken.append((self._turn, tuple(ready)))
        self._changed.notify_all()

    def _default(self, ready):
        """Whoever had the last turn goes on, so that what was not chosen is no switch."""
        last = self.taken[-1][0] if self.taken else ready[0]
        return last if last in ready else ready[0]


class InTurn:
    """A client's view of a storage: each call waits for its turn."""

    def __init__(self, inner, turns, client):
        self._inner = inner
        self._turns = turns
        self._client = client

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args):
            self._turns.wait(self._client)
            try:
                return found(*args)
            finally:
                self._turns.end()

        return call


def play(clients, choices):
    """Run all clients once; returns the order that was taken and what each one came to.

    A client is called with a function that wraps its backend.
    """
    turns = Turns(len(clients), choices)
    results = [None] * len(clients)

    def run(number):
        try:
            results[number] = clients[number](lambda inner: InTurn(inner, turns, number))
        except BaseException as error:
            results[number] = error
        finally:
            turns.leave(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return turns.taken, results


def schedules(most_switches: int) -> Iterator[Callable]:
    """Every schedule with at most so many switches from a client that could have gone on.

    Yields lists of choices to be handed to `play`; its order has to be sent back.
    """
    open_ = [[]]
    while open_:
        choices = open_.pop()
        taken = yield choices
        for at in range(len(choices), len(taken)):
            turn, ready = taken[at]
            before = [client for client, _ in taken[:at]]
            open_.extend(
                [*before, other]
                for other in ready
                if other != turn and _switches([*before, other], taken) <= most_switches
            )


def _switches(order, taken):
    """How often an order leaves a client that could have gone on."""
    return sum(
        order[at] != order[at - 1] and order[at - 1] in taken[at][1] for at in range(1, len(order))
    )
