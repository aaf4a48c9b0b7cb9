"""The index of held files gives the answers of looking at every holder (R-PAR-2)."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.file_holds import Holds, conflicts
from bot.domain.paths import may_share
from bot.domain.task import Route, Rung, Task, TaskType

NOW = datetime(2026, 2, 3, 10, tzinfo=UTC)
ROUTE = Route(rung=Rung.HAIKU, type=TaskType.DOCS, complexity="low", security=False, reason="r", rule="R", confidence=1)
FILES = st.lists(
    st.sampled_from(
        ["a", "A/", "a/b", "a/b/c.py", "ab", "a/*", "a/b/**", "**/c.py", ".", "./a/b", "b/c.py", "B/C.PY", "src/x"]
    ),
    max_size=3,
)


def _tasks(files: list[list[str]]) -> list[Task]:
    return [
        Task(project="P", id=str(n), text="t", route=ROUTE, files=tuple(own), created_at=NOW, updated_at=NOW)
        for n, own in enumerate(files)
    ]


@given(st.lists(FILES, min_size=1, max_size=8))
def test_the_first_holder_is_the_same(files: list[list[str]]) -> None:
    task, *others = _tasks(files)
    shared = ((other, may_share(task.holds, other.holds)) for other in others)
    expected = next(((other, file) for other, file in shared if file), None)
    assert Holds(others).first(task) == expected
    assert Holds([task, *others]).first(task) == expected, "nobody is in their own way"


@given(st.lists(FILES, max_size=6))
def test_conflicts_are_those_that_may_share(files: list[list[str]]) -> None:
    tasks = _tasks(files)
    expected = {
        one.id: {other.id for other in tasks if other is not one and may_share(one.holds, other.holds)} for one in tasks
    }
    assert conflicts(tasks) == expected
