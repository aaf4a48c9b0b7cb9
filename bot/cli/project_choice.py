"""Which project a command is about: the one that `--project` names, or the only one."""

from __future__ import annotations

from bot.config import Config, Project
from bot.domain.command_text import nearest
from bot.errors import UserMistake


def project_of(config: Config, key: str | None) -> Project:
    """The project that is meant: by key, or the only one. Raises UserMistake."""
    known = {project.key: project for project in config.projects}
    if key is None and len(known) == 1:
        return config.projects[0]
    if key in known:
        return known[key]
    if not known:
        raise UserMistake("No project is configured, so nothing was done. `orch init` adds one.")
    which = f"Say `--project` and one of: {', '.join(known)}."
    if key is None:
        raise UserMistake(f"Which project? {which} Nothing was done.")
    near = nearest(key, [name.lower() for name in known])
    raise UserMistake(
        f"There is no project {key}. {f'Did you mean {near.upper()}?' if near else which} Nothing was done."
    )
