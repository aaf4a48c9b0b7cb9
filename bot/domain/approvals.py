"""Who may do what (R-APR), and whether a task may be merged (R-SEC-4). Pure tables and one judgement each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from bot.domain.task import ENDED, Frozen, Rung, Task, TaskState


class Role(StrEnum):
    """Roles add up: one person may hold several for one task."""

    MEMBER = "member"
    REQUESTER = "requester"
    OWNER = "owner"
    APPROVER = "approver"
    SECURITY_APPROVER = "security_approver"
    LEAD = "lead"


class Action(StrEnum):
    """What a person can do to a task or a project."""

    SEE = "see"  # assign, list, status, why, quote
    CANCEL = "cancel"
    STOP = "stop"
    RETRY = "retry"
    SPLIT = "split"
    ESCALATE = "escalate"  # to sonnet
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    DONE = "done"
    HAND_OVER = "hand_over"
    APPROVE = "approve"  # approve merge; who counts is `approval_counts`
    OPUS = "opus"
    TAKE_OVER = "take_over"
    BUDGET = "budget"  # raise, reset, defer budgets; sprint, plan, schedule


M, R, O, A, S, L = Role  # noqa: E741 - the columns of R-APR's table, in its order
EVERYONE_INVOLVED = frozenset({R, O, A, S, L})

#: An answer that refuses names at most so many people who may.
NAMED = 3

#: R-APR, line by line.
MAY: dict[Action, frozenset[Role]] = {
    Action.SEE: frozenset(Role),
    Action.CANCEL: EVERYONE_INVOLVED,
    Action.STOP: EVERYONE_INVOLVED,
    Action.RETRY: EVERYONE_INVOLVED,
    Action.SPLIT: EVERYONE_INVOLVED,
    Action.ESCALATE: EVERYONE_INVOLVED,
    Action.REQUEST_CHANGES: EVERYONE_INVOLVED,
    Action.REJECT: EVERYONE_INVOLVED,
    Action.DONE: frozenset({O, L}),
    Action.HAND_OVER: frozenset({O, L}),
    Action.APPROVE: frozenset({A, S, L}),
    Action.OPUS: frozenset({A, S, L}),
    Action.TAKE_OVER: frozenset({O, A, S, L}),
    Action.BUDGET: frozenset({L}),
}


class Team(Frozen):
    """The people of a project, as configured (Slack ids)."""

    leads: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    security_approvers: tuple[str, ...] = ()
    self_approval: bool = False

    @property
    def who_approves(self) -> tuple[str, ...]:
        """Leads default to approvers' role too."""
        return tuple(dict.fromkeys((*self.approvers, *self.leads)))

    @property
    def who_approves_security(self) -> tuple[str, ...]:
        """`security_approvers` default to leads."""
        return self.security_approvers or self.leads


class Person(Frozen):
    """What Slack says of a person."""

    id: str
    name: str = ""
    guest: bool = False
    bot: bool = False
    deactivated: bool = False
    other_workspace: bool = False

    @property
    def barred(self) -> str | None:
        """Why this person may do nothing at all, or None."""
        return next(
            (
                text
                for is_so, text in (
                    (self.bot, "bots may not give orders"),
                    (self.deactivated, "this account is deactivated"),
                    (self.guest, "guests of the workspace may not give orders"),
                    (self.other_workspace, "members of other workspaces may not give orders"),
                )
                if is_so
            ),
            None,
        )


def roles_of(person: str, team: Team, task: Task | None = None) -> frozenset[Role]:
    """Every role a person holds, for one task or for the project alone."""
    held = {
        Role.MEMBER: True,
        Role.REQUESTER: task is not None and person == task.requester,
        Role.OWNER: task is not None and person == task.owner,
        Role.APPROVER: person in team.who_approves,
        Role.SECURITY_APPROVER: person in team.who_approves_security,
        Role.LEAD: person in team.leads,
    }
    return frozenset(role for role, holds in held.items() if holds)


def refusal(action: Action, person: Person, team: Team, task: Task | None = None) -> str | None:
    """Why this person may not do this, in words for them, or None when they may."""
    if person.barred:
        return f"{person.barred[0].upper()}{person.barred[1:]}."
    if roles_of(person.id, team, task) & MAY[action]:
        return own_approval(person.id, team, task) if action is Action.APPROVE and task else None
    allowed = [str(role).replace("_", " ") for role in Role if role in MAY[action]]
    article = "an" if allowed[0][0] in "aeiou" else "a"
    return f"Only {article} {' or '.join(filter(None, (', '.join(allowed[:-1]), allowed[-1])))} may do that."


def whom_to_ask(action: Action, person: Person, team: Team, task: Task | None = None) -> tuple[str, ...]:
    """Who may do what this person may not, the nearest first, to be named in the answer. Whoever is barred is told of
    nobody."""
    if person.barred:
        return ()
    if action is Action.APPROVE and task is not None:
        return tuple(who for who in who_is_asked(team, task) if who != person.id)[:NAMED]
    held = (
        (Role.OWNER, (task.owner,) if task and task.owner else ()),
        (Role.LEAD, team.leads),
        (Role.APPROVER, team.who_approves),
    )
    named = dict.fromkeys(who for role, people in held if role in MAY[action] for who in people)
    return tuple(who for who in named if who != person.id)[:NAMED]


def own_approval(person: str, team: Team, task: Task) -> str | None:
    """The requester's and the owner's own approval never counts, unless `self_approval` and an ordinary task."""
    if person not in (task.requester, task.owner) or _own_counts(team, task.route.security):
        return None
    return "You asked for or own this task, so someone else has to approve it."


def _own_counts(team: Team, security: bool) -> bool:
    return team.self_approval and not security


class MergeFacts(Frozen):
    """All that the merge gate looks at."""

    task: Task
    team: Team
    approvals: Mapping[str, str] = {}  # person -> head commit approved; voided ones left out
    reviewed_head: str | None = None  # head commit of the newest approving review by gemini
    checks_green: bool = False  # every check passed on the head commit (also where none is configured)
    checks_not_run: bool = False  # no sandbox: a person decides, with the checklist
    barred: tuple[str, ...] = ()  # approvers who by now may do nothing (guests, deactivated, ...)


def merge_hindrance(facts: MergeFacts) -> str | None:
    """Why the task may not be merged, or None when it may. Bound to the task's head commit throughout."""
    task, head = facts.task, facts.task.head_commit
    if head is None:
        return "There is no commit to merge."
    if task.state not in (TaskState.AWAITING_APPROVAL, TaskState.MERGING):
        return f"It is {task.state.words}, not awaiting approval."
    if facts.reviewed_head != head:  # R-SEC-4
        return "Gemini has not approved this exact commit."
    if not (facts.checks_green or facts.checks_not_run):
        return "The checks did not pass on this commit."
    counted = counting_approvals(facts)
    match lack(facts.team, counted, security=task.route.security):
        case Lack.SECURITY_APPROVER:
            return "One of the two approvals has to come from a security approver."
        case None:
            return None
        case _ if task.route.security:
            return f"A security task needs two people's approval; it has {len(counted)}."
        case _:
            return "An approver has to approve this commit."


def needs_checklist(facts: MergeFacts) -> bool:
    """Whether an approval of this task takes the checklist, not one click (R-APR-2)."""
    return facts.task.route.security or facts.checks_not_run or bool(facts.task.criteria)


def counting_approvals(facts: MergeFacts) -> tuple[str, ...]:
    """Who approved this head commit and counts: in role, not barred, not their own (R-APR-1)."""
    counts = set(who_could_approve(facts.team, facts.task)) - set(facts.barred)
    return tuple(
        person for person, commit in facts.approvals.items() if commit == facts.task.head_commit and person in counts
    )


class Lack(StrEnum):
    """What a set of approvals lacks."""

    ANYONE = "anyone"
    SECOND = "a second person"
    SECURITY_APPROVER = "a security approver"


def lack(team: Team, who: Collection[str], *, security: bool) -> Lack | None:
    """What the approvals of these people, who all count, lack for a merge: one is enough, but a security task takes
    two, and a security approver's among them (R-APR-1)."""
    if not who:
        return Lack.ANYONE
    if security and len(who) < 2:
        return Lack.SECOND
    if security and not set(who) & set(team.who_approves_security):
        return Lack.SECURITY_APPROVER
    return None


def who_counts(
    team: Team, *, security: bool, own: Collection[str] = (), barred: Collection[str] = ()
) -> tuple[str, ...]:
    """Everyone whose approval counts: in role and not barred; of those who asked for or own the task (`own`) only by
    `self_approval`, and of a security task never."""
    out = {*barred, *(() if _own_counts(team, security) else own)}
    roles = dict.fromkeys((*team.who_approves, *team.who_approves_security))
    return tuple(person for person in roles if person not in out)


def who_could_approve(team: Team, task: Task) -> tuple[str, ...]:
    """Everyone whose approval of this task counts."""
    return who_counts(team, security=task.route.security, own=(task.requester, task.owner))


def who_is_asked(team: Team, task: Task) -> tuple[str, ...]:
    """Who is asked to approve it, of those whose approval counts: the approvers; of a security task its security
    approvers, and the approvers too where those are not two."""
    named = team.who_approves
    counts = who_could_approve(team, task)
    if task.route.security:
        security = tuple(who for who in team.who_approves_security if who in counts)
        named = security if len(security) > 1 else (*security, *named)
    return tuple(dict.fromkeys(who for who in named if who in counts))


def may_need_approval(task: Task) -> bool:
    """Whether it is, or may become, a change that waits for approval: work of a model that has not ended."""
    return task.state not in ENDED and task.route.rung not in (Rung.MANUAL, Rung.GEMINI)


def shortage(team: Team, task: Task) -> str | None:
    """Why nobody's approval would be enough: too few people for R-APR's rule. None where they suffice."""
    who = who_could_approve(team, task)
    match lack(team, who, security=task.route.security):
        case None:
            return None
        case Lack.SECURITY_APPROVER:
            return "no security approver may approve it but who asked for or owns it; add one to `security_approvers`"
        case _ if task.route.security:
            few = "only one person" if who else "nobody"
            return f"two people have to approve it, and {few} may who neither asked for nor owns it; add to `approvers`"
        case _:
            return "nobody may approve it but who asked for or owns it; add one to `approvers`"


def survives_rebuild(changed_by_task: Collection[str], changed_by_base: Collection[str]) -> bool:
    """Whether an approval survives a rebuild on a moved base: not when the base changed the same files (R-APR-1)."""
    return not {p.casefold() for p in changed_by_task} & {p.casefold() for p in changed_by_base}
