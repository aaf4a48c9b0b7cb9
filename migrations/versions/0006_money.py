"""Raised limits, budget alerts, batches and what was learned"""

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    pass
