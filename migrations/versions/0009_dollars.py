"""Dollars that leads add to a limit; what a task had before it was given more"""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    op.add_column("limit_orders", sa.Column("microusd", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("limit_orders", sa.Column("had", sa.BigInteger(), nullable=True))
    op.add_column("limit_orders", sa.Column("rung", sa.String(10), nullable=True))
