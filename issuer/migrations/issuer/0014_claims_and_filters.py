"""Who has which case in hand; the filters staff keep."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "case_claims",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=True),
        sa.Column("claimed_at", instant, nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("draft", sa.LargeBinary(), nullable=True),
        sa.Column("draft_by", sa.String(length=80), nullable=True),
        sa.Column("drafted_at", instant, nullable=True),
        sa.Column("taken_from", sa.String(length=80), nullable=True),
        sa.Column("taken_by", sa.String(length=80), nullable=True),
        sa.Column("taken_reason", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "case_id", name=op.f("pk_case_claims")),
        schema=place,
    )
    op.create_index("ix_case_claims_holder", "case_claims", ["holder", "expires_at"], schema=place)
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("query", sa.String(length=400), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        schema=place,
    )
    op.create_index(op.f("ix_issuer_saved_filters_owner"), "saved_filters", ["owner"], schema=place)
