"""Blockers, absences and what people set for themselves"""

revision: str = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    pass
