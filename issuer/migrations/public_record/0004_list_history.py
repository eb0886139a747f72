"""Earlier versions of status lists."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it. The lists that stand become its first rows."""
    op.create_table(
        "status_list_history",
        sa.Column("list_id", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("token_jwt", sa.LargeBinary(), nullable=False),
        sa.Column("token_cwt", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("list_id", "version"),
        schema="public_record",
    )
    op.create_index(
        "ix_public_record_status_list_history_issued",
        "status_list_history",
        ["list_id", "issued_at"],
        unique=False,
        schema="public_record",
    )
    # Statements written out here do not go through the map that takes schema names away on SQLite.
    place = None if op.get_bind().dialect.name == "sqlite" else "public_record"
    columns = ("list_id", "version", "token_jwt", "token_cwt", "issued_at", "expires_at")
    now, then = (
        sa.table(name, *(sa.column(column) for column in columns), schema=place)
        for name in ("status_lists", "status_list_history")
    )
    op.execute(sa.insert(then).from_select(columns, sa.select(*now.c)))
