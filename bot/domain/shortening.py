"""Text cut to the room that a place has."""

from __future__ import annotations


def shortened(text: str, most: int) -> str:
    """At most so many characters; what is cut is shown as an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def first_line(text: str) -> str:
    """A task's title where its text has one, for a row in a list; what follows would read as one sentence with it."""
    return (text.strip().splitlines() or [""])[0]
