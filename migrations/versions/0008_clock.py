"""Slots of the day"""

revision: str = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    pass
