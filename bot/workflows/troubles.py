"""What fails now in this process, and where: said once in the log, shown by /healthz, and holding up nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger("orch.troubles")

#: What did not fail again for so long is over, also where nobody works any more (say, at a task that ended); seconds.
#: Every loop looks again sooner.
OVER_SECONDS = 300.0

#: The kind of error, and the line of code that raised it: what its text says may differ each time.
Sign = tuple[str, str, int]


class Troubles:
    """By place, say `GRANTER S1-D1-1` or `foreman`. What fails there is tried again by whoever works there. `clock`
    gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, tuple[Sign, float]] = {}

    def now(self) -> tuple[str, ...]:
        """Where something fails, in order."""
        return tuple(sorted(self._standing()))

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """What fails in the block stays in the block: it is logged where it is new, and so is its end."""
        try:
            yield
        except Exception as error:
            sign, known = _sign(error), self._standing()
            self._found = {**known, place: (sign, self._clock())}
            if place not in known or known[place][0] != sign:
                log.exception("%s: this fails, and is tried again; nothing else waits for it", place)
        else:
            if self._found.pop(place, None):
                log.warning("%s: this works again", place)

    def _standing(self) -> dict[str, tuple[Sign, float]]:
        oldest = self._clock() - OVER_SECONDS
        return {place: found for place, found in self._found.items() if found[1] > oldest}


def _sign(error: Exception) -> Sign:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else ("", 0)
    return (type(error).__name__, *where)
