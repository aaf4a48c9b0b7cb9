"""Small plans for tests, as text."""

from __future__ import annotations


def task(text: str = "", task_id: str = "S1-D1-1", *, more: str = "", sprints: str = "") -> str:
    """A plan of one task with these further lines."""
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"name: demo\n{sprints}tasks:\n  - id: {task_id}\n    prompt: Write the README\n{lines}{more}"


def two(first: str, second: str) -> str:
    return task(first, more=f"  - id: S1-D1-2\n    prompt: Write the FAQ\n    {second}\n")
