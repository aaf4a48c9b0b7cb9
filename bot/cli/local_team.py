"""Who is there in `orch local`, and the example plan as they can play it: enough people for every approval, and no
check that needs packages which a rehearsal does not write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bot.local.slack import Seed, User
from bot.local.slack.seed import default_channels, default_users
from bot.wiring import data_folder

DEVELOPER, LEAD, SECOND, SECURITY, CHANNEL = "U0DEV", "U0LEAD", "U0TWO", "U0SEC", "C0DEV"
#: Whoever of them gives a task, two others can approve it, one of them for its security (R-APR).
ROLES: dict[str, Any] = {
    "leads": [LEAD],
    "approvers": [SECOND, SECURITY],
    "security_approvers": [LEAD, SECURITY],
    "aliases": {"human-dev-1": DEVELOPER},
}
PLAN = "granter-v2"
_MARK = "# Written by `orch local` at each start, for the rehearsal"


def people() -> Seed:
    """The emulated workspace at its first start."""
    channels = default_channels()
    for channel in channels:
        channel.members.append(SECURITY)
    return Seed(users=[*default_users(), User(SECURITY, "sec", "Sia Security")], channels=channels)


def put_plan(home: Path, *, rehearsed: bool) -> None:
    """Lay the example plan where the team's own plans are looked for first, if models are rehearsed: without the
    checks of its tasks, which need the product that no model writes then. Real models get the plan as it is. A file
    that somebody else put there is left alone."""
    kept = home / "plans" / f"{PLAN}.yaml"
    if kept.exists() and not kept.read_text(encoding="utf-8").startswith(_MARK):
        return
    if not rehearsed:
        kept.unlink(missing_ok=True)
        return
    text = (data_folder("templates") / "plans" / kept.name).read_text(encoding="utf-8")
    plan = yaml.load(text, Loader=yaml.BaseLoader)  # every scalar stays the text that it is
    for task in plan["tasks"]:
        task.pop("checks", None)
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(
        f"{_MARK}: {PLAN} without the checks of its tasks.\n" + yaml.safe_dump(plan, sort_keys=False, width=200)
    )
