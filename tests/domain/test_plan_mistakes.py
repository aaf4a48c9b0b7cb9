"""Broken plans: what is said of each, and where (R-MSG-4, R-PAR-3)."""

from __future__ import annotations

from itertools import pairwise

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.plan_file import load_plan, read_plan_text
from bot.domain.plan_errors import errors_of
from bot.domain.plan_graph import find_cycle
from bot.errors import UserMistake
from tests.domain.plans import task, two

#: What is wrong, and the errors that it gets: all of them, in order.
BROKEN: list[tuple[str, list[str]]] = [
    # the file
    ("", ["line 1: a plan has the keys `name`, `sprints` and `tasks`"]),
    ("- a\n- b", ["line 1: a plan has the keys `name`, `sprints` and `tasks`"]),
    ("name: d\n---\nname: e", ["line 3: `---` starts a second plan; a file holds one"]),
    ("name: d\ntasks: [", ["line 2: this is not valid YAML: while parsing a flow node", "not in quotes?"]),
    ("name: d\ntasks:\n\t- id: 1", ["line 3: this is not valid YAML", "indent with spaces, not with tabs"]),
    ("name: d: e", ["line 1: this is not valid YAML", "put a text that has `: ` in it into quotes"]),
    ('name: "d', ["this is not valid YAML", "is a quote never closed?"]),
    ("name: @d", ["line 1: this is not valid YAML", "put a text that starts with `@`"]),
    ("name: &a d\ntasks: *a", ["line 1: the part that starts here is used again by `*`; write it out"]),
    ("name: d\n<<: {a: b}", ["line 2: `<<` is not understood here"]),
    ("name: d\n? [a]\n: b", ["line 2: a key must be one word"]),
    ("[" * 40 + "]" * 40, ["line 1: this is nested too deeply for a plan"]),
    ("name: d\x07", ["line 1: an invisible character stands here"]),
    # the head
    ("name: d", ["line 1: `tasks` is missing: the list of what is to be done"]),
    ("name: d\ntasks:", ["line 2: tasks: this must be a list (each item starts with `- `), not one value"]),
    ("name: d\ntasks: []", ["line 2: tasks: there is none"]),
    ("name: d\ntasks: [x]", ["line 2: tasks: each of them must have keys, such as `title:`; this is one value"]),
    (task().replace("name: demo\n", ""), ["line 1: `name` is missing: a short name for the plan"]),
    (task() + "task: []", ["line 5: `task` is not a key that I know; did you mean `tasks`?"]),
    (task() + "name: again", ["line 5: `name` stands there twice (line 1)"]),
    (task() + "tasks: []", ["line 5: `tasks` stands there twice (line 2)"]),
    # sprints
    (task(sprints="sprints: {number: 1}\n"), ["line 2: sprints: this must be a list", "not keys"]),
    (task(sprints="sprints: [{title: t}]\n"), ["line 2: sprint: `number` is missing, say `number: 0`"]),
    (task(sprints="sprints: [{number: one}]\n"), ["line 2: sprint one, number: `one` is not a sprint"]),
    (task(sprints="sprints: [{number: 1, dayz: 3}]\n"), ["sprint 1: `dayz` is not a key", "did you mean `days`?"]),
    (task(sprints="sprints: [{number: 1, days: 0}]\n"), ["line 2: sprint 1: it needs at least one day"]),
    (task(sprints="sprints: [{number: 1}, {number: 1}]\n"), ["line 2: sprint 1: it stands there twice (line 2)"]),
    (task(sprints="sprints: [{number: 0}]\n"), ["line 4: S1-D1-1: `sprints` has no sprint 1; it has 0"]),
    (task(sprints="sprints: [{number: 1, tasks: []}]\n"), ["`tasks` do not stand inside a sprint"]),
    (task(sprints="sprints: [{number: 1, budget: 9}]\n"), ["sprint 1, budget: this must name rungs"]),
    (task(sprints="sprints: [{number: 1, budget: {haika: 9}}]\n"), ["`haika` is not a key", "did you mean `haiku`?"]),
    (task(sprints="sprints: [{number: 1, budget: {haiku: $9}}]\n"), ["budget, haiku: `$9` is not a number of tokens"]),
    # ids
    (task().replace("id: S1-D1-1", "title: t"), ["line 3: a task: `id` is missing: S<sprint>-D<day>-<n>"]),
    (task(task_id="S1-1"), ["line 3: S1-1, id: `S1-1` is not a task id"]),
    (task(task_id="S1 D1 1"), ["S1 D1 1, id: `S1 D1 1` is not a task id", "Did you mean `S1-D1-1`?"]),
    (task(task_id="GR:S1-D1-1"), ["`GR:S1-D1-1` names a project; here it is only `S1-D1-1`"]),
    (task(more="  - id: s1-d1-1\n    prompt: Again\n"), ["line 5: S1-D1-1: this id stands there twice (line 3)"]),
    (task("sprint: 2"), ["line 5: S1-D1-1: `sprint: 2` disagrees with the id, which says 1"]),
    (task("sprint: 1\nday: 4"), ["line 6: S1-D1-1: `day: 4` disagrees with the id, which says 1"]),
    (task(task_id="S1-D6-1"), ["line 3: S1-D6-1: sprint 1 has 5 days, so there is no D6"]),
    # keys and values
    (task().replace("Write the README", ""), ["line 3: S1-D1-1: `prompt` is missing or empty"]),
    (task("text: again"), ["line 5: S1-D1-1: `text` stands there twice (line 4)"]),
    (task("depends_on: S0-D1-1"), ["line 5: S1-D1-1: `depends_on` is not a key that I know; did you mean `after`?"]),
    (task("blockers_if_failed: []"), ["did you mean `blockers_if_fail`?"]),
    (task("priority: urgent"), ["S1-D1-1, priority: `urgent` is not a priority. Did you mean `critical`?"]),
    (task("type: databse"), ["S1-D1-1, type: `databse` is not a type"]),
    (task("model: gpt"), ["S1-D1-1, model: `gpt` is not a model. Did you mean `sonnet`?"]),
    (task("mcp_assignment: claude"), ["mcp_assignment: `claude` is not a bridge. Did you mean `claude-bridge`?"]),
    (
        task("model: haiku\nmcp_assignment: gemini-bridge"),
        ["line 6: S1-D1-1, mcp_assignment: `gemini-bridge` does not lead to haiku, which is behind `claude-bridge`"],
    ),
    (task("files: [src/*.py]"), ["S1-D1-1, files: I cannot take the file `src/*.py`: I lock exactly the files"]),
    (task("files:\n  - ok.py\n  - /etc/passwd"), ["line 7: S1-D1-1, files: I cannot take the file `/etc/passwd`"]),
    (task("checks: {npm: test}"), ["S1-D1-1, checks: this must be a list, not keys"]),
    (task("checks: [[npm, test]]"), ["S1-D1-1, checks: each item must be one value, not a list"]),
    (task("checks: [a, b, c, d, e, f, g, h, i, j, k]"), ["11 are too many for one task: at most 10"]),
    (task("title: [a]"), ["S1-D1-1, title: this must be one value, not a list"]),
    (task("security: perhaps"), ["S1-D1-1, security: `perhaps` is neither `true` nor `false`"]),
    (task("token_budget: 2.5"), ["S1-D1-1, token_budget: `2.5` is not a number of tokens"]),
    (task("owner: the whole team"), ["S1-D1-1, owner: `the whole team` is no person"]),
    # deadlines
    (task("deadline: soon"), ["deadline: `soon` is not a date and time", "A day of the sprint reads `D2 17:00`."]),
    (task("deadline: Wednesday 17:00"), ["names a weekday; write the day of the sprint: `D3 17:00`"]),
    (task("deadline: D1 25:00"), ["deadline: `25:00` is not a time of day"]),
    (task("deadline: 2026-02-30"), ["deadline: `2026-02-30` does not exist in the calendar"]),
    (task("deadline: D7 10:00"), ["deadline: `D7 10:00` is after the end of sprint 1, which has 5 days"]),
    (task("deadline: D1 10:00", "S1-D2-1"), ["deadline: `D1 10:00` is before the task's own day, D2"]),
    # references and circles
    (task("after: [S1-D1-9]"), ["line 5: S1-D1-1, after: `S1-D1-9` is no task of this plan"]),
    (
        two("blockers_if_fail: [S1-D1-3]", "day: 1"),
        ["blockers_if_fail: `S1-D1-3` is no task", "did you mean `S1-D1-2`"],
    ),
    (task("after: [S1-D1-1]"), ["line 5: S1-D1-1: these wait for each other in a circle: S1-D1-1 -> S1-D1-1"]),
    (
        two("blockers_if_fail: [S1-D1-2]", "blockers_if_fail: [S1-D1-1]"),
        ["S1-D1-1: these wait for each other in a circle: S1-D1-1 -> S1-D1-2 -> S1-D1-1; take one"],
    ),
    # several at once, by line
    (
        task("priority: high!\nfilez: a\ndeadline: never", "S1-D9-1"),
        [
            "line 3: S1-D9-1: sprint 1 has 5 days",
            "line 5: S1-D9-1, priority",
            "line 6: S1-D9-1: `filez` is not a key that I know; did you mean `files`?",
            "line 7: S1-D9-1, deadline",
        ],
    ),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_a_broken_plan_says_what_is_wrong_and_where(text: str, said: list[str]) -> None:
    plan, problems = read_plan_text(text)
    whole = "\n".join(map(str, problems))
    assert plan is None and errors_of(problems)
    assert all(part in whole for part in said), whole
    assert len(problems) == max(1, sum(part.startswith("line") for part in said)), whole
    with pytest.raises(UserMistake) as caught:
        load_plan(text)
    assert said[0] in str(caught.value)


ODD = [
    (
        task("after: [S1-D2-1]", more="  - {id: S1-D2-1, prompt: Write the FAQ}\n"),
        "line 5: S1-D1-1: it waits for S1-D2-1, which is planned for later",
    ),
    (
        two("deadline: D1 17:00", "after: S1-D1-1").replace("after", "deadline: D1 9:00\n    after"),
        "S1-D1-2: it is due before S1-D1-1, which it waits for",
    ),
]


@pytest.mark.parametrize(("text", "said"), ODD)
def test_what_is_only_odd_is_a_warning(text: str, said: str) -> None:
    plan, problems = read_plan_text(text)
    assert plan is not None and [p.level for p in problems] == ["warning"]
    assert said in str(problems[0])


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(1, 7), st.integers(1, 7)), max_size=14), st.booleans())
def test_a_plan_loads_exactly_if_nothing_waits_in_a_circle(edges: set[tuple[int, int]], backwards: bool) -> None:
    """R-PAR-3: a real circle is named; without one the plan has an order."""
    befores = {f"S1-D1-{n}": [f"S1-D1-{a}" for a, b in sorted(edges) if b == n] for n in range(1, 8)}
    key, lists = "after", befores
    if backwards:
        behind = {n: [other for other in befores if n in befores[other]] for n in befores}
        key, lists = "blockers_if_fail", behind
    tasks = [{"id": name, "prompt": "Write the FAQ", key: names} for name, names in lists.items()]
    plan, problems = read_plan_text(yaml.safe_dump({"name": "d", "tasks": tasks}))
    cycle = find_cycle({name: tuple(names) for name, names in befores.items()})
    if cycle is None:
        assert plan is not None and len(plan.tasks) == 7 and find_cycle(plan.graph) is None
    else:
        named = str(problems[0]).partition("in a circle: ")[2].partition(";")[0].split(" -> ")
        assert plan is None and named[0] == named[-1]
        assert all(before in befores[after] for before, after in pairwise(named))


_WORDS = st.sampled_from(["name", "tasks", "sprints", "id", "S1-D1-1", "prompt", "after", "budget", "haiku", "D1", "7"])
_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(_WORDS, _DATA, max_size=6), st.text(max_size=12))
def test_whatever_a_file_holds_it_is_a_plan_or_has_an_error(data: dict[str, object], tail: str) -> None:
    for text in (yaml.safe_dump(data), yaml.safe_dump(data) + tail):
        plan, problems = read_plan_text(text)
        assert (plan is None) == bool(errors_of(problems))
