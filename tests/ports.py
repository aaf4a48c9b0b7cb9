"""Which port the bot listens on that was given 0: any free one, bound before anybody is told of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bot.process import PORT_LOG


@contextmanager
def listening() -> Iterator[list[int]]:
    """The ports on which a bot began to listen within the block, by its log."""
    ports: list[int] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert isinstance(record.args, tuple) and isinstance(record.args[0], int)
            ports.append(record.args[0])

    log, ear, before = PORT_LOG, Ear(), PORT_LOG.level
    log.setLevel(logging.INFO)
    log.addHandler(ear)
    try:
        yield ports
    finally:
        log.removeHandler(ear)
        log.setLevel(before)
