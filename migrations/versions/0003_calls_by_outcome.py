"""An index on how calls ended and when: the foreman looks each second whether a provider keeps failing"""

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    op.create_index("calls_by_outcome", "calls", ["state", "settled_at"])
