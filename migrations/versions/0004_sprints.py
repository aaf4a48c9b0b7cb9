"""Sprints, the tasks of plans, and the zone of a task's messages (R-MSG)"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("zone", sa.String(64), nullable=False, server_default="UTC"))
    op.create_table(
        "sprints",
        sa.Column("project", sa.String(16), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("plan", sa.String(80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("budget", sa.JSON(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "plan_tasks",
        sa.Column("project", sa.String(16), primary_key=True),
        sa.Column("task_id", sa.String(40), primary_key=True),
        sa.Column("plan", sa.String(80), nullable=False),
        sa.Column("sprint", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("task", sa.JSON(), nullable=False),
        sa.Column("queued", sa.Boolean(), nullable=False),
    )
