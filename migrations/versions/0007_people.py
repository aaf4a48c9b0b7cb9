"""Blockers, absences and what people set for themselves"""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    threads()
    op.create_table(
        "blockers",
        sa.Column("key", sa.String(160), primary_key=True),
        sa.Column("project", sa.String(16), nullable=False),
        sa.Column("task_pk", sa.Integer(), sa.ForeignKey("tasks.pk"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("acknowledged_by", sa.String(40), nullable=True),
        sa.Column("acknowledged_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("blockers_open", "blockers", ["resolved_at"])
    op.create_index("blockers_by_task", "blockers", ["task_pk"])
    op.create_table(
        "people",
        sa.Column("person", sa.String(40), primary_key=True),
        sa.Column("away_until", sa.Date(), nullable=True),
        sa.Column("zone", sa.String(64), nullable=True),
        sa.Column("quiet_from", sa.String(5), nullable=True),
        sa.Column("quiet_to", sa.String(5), nullable=True),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.Column("notify", sa.String(10), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )


def threads() -> None:
    """What people write in the thread of a task."""
    op.create_table(
        "task_replies",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("task_pk", sa.Integer(), sa.ForeignKey("tasks.pk"), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("ts", sa.String(40), nullable=False),
        sa.Column("who", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("heard_attempt", sa.Integer(), nullable=True),
        sa.UniqueConstraint("channel", "ts"),
    )
    op.create_index("task_replies_by_task", "task_replies", ["task_pk", "id"])
    op.add_column("tasks", sa.Column("muted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("outbox_by_ts", "outbox", ["ts"])
