"""Raised limits, budget alerts, batches and what was learned"""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    op.add_column("calls", sa.Column("batch", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("calls", sa.Column("batch_id", sa.String(length=80), nullable=True))
