"""R-SEC-1 from order to last attempt: no option, change or failure brings security-critical code to haiku."""

from __future__ import annotations

from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.change import Change, FileChange
from bot.domain.escalation import Again, Attempt, Outcome, Policy, next_step
from bot.domain.gate import GatePolicy, inspect, raised
from bot.domain.routing import ROWS, RoutePolicy, RouteRequest, route
from bot.domain.task import Route, Rung, TaskType
from bot.errors import UserMistake

PATHS = ["README.md", "src/app.ts", "package.json", ".github/workflows/ci.yml", "migrations/1.sql", "src/auth/guard.ts"]
FAILURES = st.sampled_from([o for o in get_args(Outcome) if o not in ("passed", "security")])


def changing(paths: list[str]) -> Change:
    patch = "".join(f"--- a/{p}\n+++ b/{p}\n@@ -1,0 +1,1 @@\n+x\n" for p in paths)
    files = tuple(FileChange(path=p, status="modified", old_mode="100644", new_mode="100644", added=1) for p in paths)
    return Change(base="a", head="b", files=files, patch=patch)


def ordered(request: RouteRequest, haiku_first: bool) -> Route | None:
    try:
        return route(request, RoutePolicy(haiku_first=haiku_first))
    except UserMistake:
        return None


@settings(max_examples=300, deadline=None)
@given(
    request=st.builds(
        RouteRequest,
        text=st.sampled_from(["Fix a typo", "Change the label", "Implement JWT login", "Write tests", "it"]),
        files=st.sampled_from([(), ("README.md",), ("src/app.ts",), ("src/auth/guard.ts",)]),
        type=st.sampled_from([None, *TaskType]),
        model=st.sampled_from([None, Rung.HAIKU, Rung.SONNET]),
        security=st.booleans(),
    ),
    haiku_first=st.booleans(),
    opus_approved=st.booleans(),
    attempts=st.lists(
        st.tuples(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3, unique=True), FAILURES), max_size=6
    ),
)
def test_nothing_brings_security_critical_code_to_haiku(
    request: RouteRequest, haiku_first: bool, opus_approved: bool, attempts: list[tuple[list[str], Outcome]]
) -> None:
    task = ordered(request, haiku_first)
    if task is None:
        return
    rung, critical, two_people = task.rung, task.code_critical, task.security
    assert not (critical and rung is Rung.HAIKU)
    history: tuple[Attempt, ...] = ()
    for n, (paths, failure) in enumerate(attempts):
        verdict = inspect(changing(paths), GatePolicy(security_paths=("**/auth/**",)))
        thrown_away = bool(verdict.critical_reasons) and rung is Rung.HAIKU
        task = raised(task, verdict)
        critical, two_people = critical or bool(verdict.critical_reasons), two_people or bool(verdict.security_reasons)
        assert (task.code_critical, task.security) == (critical, two_people)
        history += (Attempt(rung=rung, outcome="security" if thrown_away else failure, signature=f"way {n}"),)
        step = next_step(
            history,
            Policy(security=task.code_critical, haiku_may=ROWS[task.type].haiku != "no", opus_approved=opus_approved),
        )
        if not isinstance(step, Again):
            return
        assert not (critical and step.rung is Rung.HAIKU)
        rung = step.rung
