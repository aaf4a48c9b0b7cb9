"""Raised limits, budget alerts, batches and what was learned"""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    op.add_column("calls", sa.Column("batch", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("calls", sa.Column("batch_id", sa.String(length=80), nullable=True))
    _limits()


def _limits() -> None:
    op.create_table(
        "limit_orders",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("delivery_key", sa.String(255), nullable=False, unique=True),
        sa.Column("project", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("limit", sa.String(40), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("sprint", sa.Integer(), nullable=True),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("who", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("limit_orders_by_project", "limit_orders", ["project", "ended_at"])
    op.add_column("tasks", sa.Column("needs_tokens", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("needs_microusd", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("calls", sa.Column("visit", sa.String(120), nullable=False, server_default=""))
