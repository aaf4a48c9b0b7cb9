"""The coordinator's one small call for what rules and the text model leave unsure (R-RT, R-BUD-6).

Its answer can only refine: the type goes through the same matrix, a security flag is raised and never lowered, and
whatever cannot be read, paid for or had leaves the safer rung that the rules chose.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from bot.domain.budget import Limit
from bot.domain.routing import ROWS, RoutePolicy, RouteRequest, route_as
from bot.domain.task import Frozen, Route, Rung, TaskType
from bot.domain.task_kinds import Guess

#: A route that is less sure than this is asked about. What a person said (`--type`, `--model`) is always surer.
UNSURE_BELOW = 0.6
#: How sure a route is that the coordinator refined.
REFINED = 0.75
#: Tokens a day for all of a project's classifications (R-BUD-6).
DAILY_TOKENS = 500
#: The answer is three words.
MAX_ANSWER_TOKENS = 24
#: What of the task it is shown; characters.
MAX_TEXT = 320
MAX_FILES = 4

_WORD = re.compile(r"[a-z]+")
_COMPLEXITIES = ("low", "medium", "high")


class Answer(Frozen):
    """What the coordinator read in a task."""

    type: TaskType
    complexity: Literal["low", "medium", "high"]
    security: bool


def coordinator_limit(project: str, day: date) -> Limit:
    """The counter of a day's classifications; they count against haiku's day as well."""
    return Limit(scope=f"{project}/coordinator/{day}", name=f"the coordinator's tokens for {day}", tokens=DAILY_TOKENS)


def is_unsure(route: Route) -> bool:
    """Whether the route is worth a question. A security task stays where it is, whatever the answer."""
    return route.confidence < UNSURE_BELOW and not route.security


def read_answer(text: str) -> Answer | None:
    """`docs low no`, also as JSON or with the words in another order. None where a word is missing or not clear."""
    words = _WORD.findall(text.lower())
    types = {word for word in words if word in set(TaskType)}
    complexities = {word for word in words if word in _COMPLEXITIES}
    flags = {word in ("yes", "true") for word in words if word in ("yes", "no", "true", "false")}
    if len(types) != 1 or len(complexities) != 1 or len(flags) != 1:
        return None
    return Answer.model_validate({"type": types.pop(), "complexity": complexities.pop(), "security": flags.pop()})


def refine(was: Route, answer: Answer, request: RouteRequest, policy: RoutePolicy) -> Route:
    """The route by the coordinator's reading. `request` carries what the person said."""
    critical = was.security or answer.security or answer.type is TaskType.AUTH
    kind = ROWS[answer.type].kind
    guess = Guess(answer.type, REFINED, f"the coordinator read it as {kind}", answer.complexity == "low")
    chosen = route_as(request.model_copy(update={"security": request.security or critical}), guess, policy)
    if critical and not was.security and chosen.rung is Rung.SONNET:
        reason = "The coordinator sees it as security-critical: never haiku."
        return chosen.model_copy(update={"reason": reason, "rule": "R-SEC-1", "confidence": REFINED})
    return chosen.model_copy(update={"confidence": max(chosen.confidence, UNSURE_BELOW)})


def unrefined(was: Route, why: str) -> Route:
    """The safer rung, since the coordinator could not say; `why` in a few words. It is not asked again."""
    safer = was.rung
    reason = was.reason
    if was.rung is Rung.HAIKU and ROWS[was.type].haiku != "yes":
        safer, reason = Rung.SONNET, "It is not clear what kind of work this is: sonnet is the safer choice."
    return was.model_copy(
        update={"rung": safer, "reason": f"{reason} {why[:1].upper()}{why[1:]}.", "confidence": UNSURE_BELOW}
    )
