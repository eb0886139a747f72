"""Large acts (invalidations and archive timestamps by list), and what a batch was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    # ALTER TABLE does not go through the map that takes schema names away on SQLite.
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    kind = sa.Column("kind", sa.String(length=16), nullable=False, server_default="sitting")
    op.add_column("batches", kind, schema=place)
    op.create_table(
        "large_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("plan_digest", sa.String(length=64), nullable=False),
        sa.Column("source_sha256", sa.String(length=64), nullable=False),
        sa.Column("proposed_by", sa.String(length=80), nullable=False),
        sa.Column("proposed_via", sa.String(length=8), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_via", sa.String(length=8), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.LargeBinary(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind <> 'invalidate' OR state NOT IN ('running', 'done')"
            " OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name=op.f("ck_large_acts_two_people"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_large_acts"),
        schema="issuer",
    )
    op.create_table(
        "large_act_items",
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("ground", sa.String(length=40), nullable=True),
        sa.Column("basis", sa.LargeBinary(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("clause", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(["act_id"], ["issuer.large_acts.id"], name="fk_large_act_items_act_id"),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["issuer.e_certificates.id"], name="fk_large_act_items_certificate_id"
        ),
        sa.ForeignKeyConstraint(["case_id"], ["issuer.invalidations.id"], name="fk_large_act_items_case_id"),
        sa.PrimaryKeyConstraint("act_id", "position", name="pk_large_act_items"),
        schema="issuer",
    )
    op.create_index(
        "ix_large_act_items_result", "large_act_items", ["act_id", "result"], unique=False, schema="issuer"
    )
