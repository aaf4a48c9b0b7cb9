"""R-PAR-3, R-PAR-5, R-MSG-6: order, circles, the critical path, and what a task unblocks."""

from __future__ import annotations

from graphlib import CycleError
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.plan_graph import (
    blocked_by,
    critical_path,
    find_cycle,
    find_cycles,
    first_unblocked,
    tails,
)
from bot.domain.task import TaskState

S = TaskState
DIAMOND = {"A": (), "B": ("A",), "C": ("A",), "D": ("B", "C")}

CYCLES = [
    ({}, None),
    ({"A": ()}, None),
    (DIAMOND, None),
    ({"A": ("A",)}, "A -> A"),
    ({"A": ("B",), "B": ("A",)}, "A -> B -> A"),
    ({"A": ("C",), "B": ("A",), "C": ("B",)}, "A -> B -> C -> A"),
    ({"X": (), "C": ("B", "X"), "B": ("A",), "A": ("C",)}, "C -> A -> B -> C"),
    ({"A": ("elsewhere",)}, None),
]


@pytest.mark.parametrize(("graph", "named"), CYCLES)
def test_a_cycle_is_named_in_the_order_of_the_work(graph: dict[str, tuple[str, ...]], named: str | None) -> None:
    found = find_cycle(graph)
    assert (found and " -> ".join(found)) == named


def test_several_cycles_are_found_at_once() -> None:
    graph = {"A": ("B",), "B": ("A",), "C": ("D",), "D": ("C",), "E": ("A",)}
    assert find_cycles(graph) == (("A", "B", "A"), ("C", "D", "C"))
    assert len(find_cycles({str(n): (str(n),) for n in range(9)})) == 5


def test_the_heaviest_chain_is_critical() -> None:
    """R-PAR-5"""
    weights = {"A": 10, "B": 5, "C": 7, "D": 1}
    assert tails(DIAMOND, weights) == {"A": 18, "B": 6, "C": 8, "D": 1}
    assert critical_path(DIAMOND, weights) == ("A", "C", "D")
    assert critical_path(DIAMOND, {}) == ("A", "B", "D")
    assert critical_path({}, {}) == ()
    assert critical_path({"manual": (), "after": ("manual",), "big": ()}, {"manual": 0, "after": 5, "big": 5})[0] == (
        "manual"
    )


def test_both_ends_know_of_a_dependency() -> None:
    assert blocked_by(DIAMOND) == {"A": ("B", "C"), "B": ("D",), "C": ("D",), "D": ()}


NEXT = [
    # what is over already, what ends now, next_task_id
    ({}, "A", "B"),
    ({"B": S.RUNNING}, "A", "C"),
    ({"B": S.CANCELLED, "C": S.MERGED}, "A", None),
    ({"A": S.MERGED}, "B", None),
    ({"A": S.MERGED, "C": S.DONE}, "B", "D"),
    ({"A": S.MERGED, "C": S.FAILED}, "B", None),
    ({"A": S.MERGED, "B": S.MERGED, "C": S.MERGED}, "D", None),
    ({}, "unknown", None),
]


@pytest.mark.parametrize(("states", "finished", "expected"), NEXT)
def test_next_task_is_the_first_that_this_one_unblocks(
    states: dict[str, TaskState], finished: str, expected: str | None
) -> None:
    """R-MSG-6"""
    assert first_unblocked(DIAMOND, states, finished) == expected


@st.composite
def dags(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    size = draw(st.integers(0, 12))
    names = draw(st.permutations([f"T{n}" for n in range(size)]))
    edges = {name: draw(st.sets(st.sampled_from(names[:at]))) if at else set() for at, name in enumerate(names)}
    return {name: tuple(sorted(edges[name])) for name in draw(st.permutations(names))}


@settings(max_examples=60, deadline=None)
@given(dags())
def test_every_plan_without_a_circle_has_a_critical_path(graph: dict[str, tuple[str, ...]]) -> None:
    assert find_cycle(graph) is None
    path = critical_path(graph, {})
    assert all(before in graph[after] for before, after in pairwise(path))
    assert len(path) == max(tails(graph, {}).values(), default=0)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("ABCDEFG"), st.sets(st.sampled_from("ABCDEFGX")).map(tuple)))
def test_a_named_cycle_is_real_and_without_one_every_chain_has_a_weight(graph: dict[str, tuple[str, ...]]) -> None:
    cycle = find_cycle(graph)
    if cycle is None:
        assert set(tails(graph, {})) == set(graph)
        return
    assert cycle[0] == cycle[-1] and len(set(cycle)) == len(cycle) - 1
    assert all(before in graph[after] for before, after in pairwise(cycle))
    with pytest.raises(CycleError):
        tails(graph, {})
