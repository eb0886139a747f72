"""Announcements; random samples and what was checked."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "announcements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("title_en", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_en", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("drafted_by", sa.String(length=80), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("lines", sa.LargeBinary(), nullable=True),
        sa.Column("line_count", sa.Integer(), nullable=True),
        sa.Column("names_until", sa.Date(), nullable=True),
        sa.Column("file_key", sa.String(length=160), nullable=True),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "state <> 'published' OR (published_by IS NOT NULL AND published_by <> drafted_by)",
            name=op.f("ck_announcements_two_people"),
        ),
        sa.ForeignKeyConstraint(["sitting_code"], ["issuer.sittings.code"], name="fk_announcements_sitting_code"),
        sa.ForeignKeyConstraint(["corrects_id"], ["issuer.announcements.id"], name="fk_announcements_corrects_id"),
        sa.PrimaryKeyConstraint("id", name="pk_announcements"),
        sa.UniqueConstraint("number", name="uq_announcements_number"),
        schema="issuer",
    )
    _index("uq_announcements_first", ["sitting_code", "kind"], "state = 'published' AND corrects_id IS NULL")
    _index("uq_announcements_correction", ["corrects_id"], "state = 'published' AND corrects_id IS NOT NULL")
    op.create_table(
        "samplings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("per_mille", sa.Integer(), nullable=False),
        sa.Column("fixed_by", sa.String(length=80), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_by", sa.String(length=80), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("list_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["sitting_code"], ["issuer.sittings.code"], name="fk_samplings_sitting_code"),
        sa.PrimaryKeyConstraint("id", name="pk_samplings"),
        schema="issuer",
    )
    _index("uq_samplings_undrawn", ["sitting_code"], "drawn_at IS NULL", table="samplings")
    op.create_table(
        "sampled_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("sampling_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("chosen_by", sa.String(length=80), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("checked_by", sa.String(length=80), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sitting_code"], ["issuer.sittings.code"], name="fk_sampled_checks_sitting_code"),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_sampled_checks_registration_id"
        ),
        sa.ForeignKeyConstraint(["sampling_id"], ["issuer.samplings.id"], name="fk_sampled_checks_sampling_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sampled_checks"),
        sa.UniqueConstraint(
            "sampling_id", "registration_id", name=op.f("uq_sampled_checks_sampling_id_registration_id")
        ),
        schema="issuer",
    )
    for column in ("sitting_code", "registration_id"):
        op.create_index(op.f(f"ix_issuer_sampled_checks_{column}"), "sampled_checks", [column], schema="issuer")


def _index(name: str, columns: list[str], where: str, table: str = "announcements") -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=True,
        schema="issuer",
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
