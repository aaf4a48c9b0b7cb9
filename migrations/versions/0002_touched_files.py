"""Files that a task's attempts touched: what it holds where it declared none (R-PAR-2)"""

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("touched", sa.JSON(), nullable=False, server_default="[]"))
