"""Hearings; public invalidations and their withdrawal; lifting a record; lists of more than e-certificates."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

FIRST = "state = 'published' AND corrects_id IS NULL"
FIRST_NOW = f"{FIRST} AND kind NOT IN ('invalidation', 'reinstatement')"
KEPT = "act_id, position, certificate_id, ground, basis, effective_on, case_id, result, code, clause"
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make them."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    place = None if sqlite else "issuer"
    _hearings()
    op.create_table(
        "announced_cases",
        sa.Column("case_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["issuer.invalidations.id"], name="fk_announced_cases_case_id"),
        sa.ForeignKeyConstraint(
            ["announcement_id"], ["issuer.announcements.id"], name="fk_announced_cases_announcement_id"
        ),
        sa.PrimaryKeyConstraint("case_id", name="pk_announced_cases"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_announced_cases_announcement_id", "announced_cases", ["announcement_id"], schema="issuer"
    )
    for column in (
        sa.Column("withdrawn_by", sa.String(length=80)),
        sa.Column("withdrawn_at", INSTANT),
        sa.Column("withdrawn_note", sa.Text()),
    ):
        op.add_column("announcements", column, schema=place)
    op.drop_index("uq_announcements_first", "announcements", schema=place)
    op.create_index(
        "uq_announcements_first",
        "announcements",
        ["sitting_code", "kind"],
        unique=True,
        schema=place,
        sqlite_where=sa.text(FIRST_NOW),
        postgresql_where=sa.text(FIRST_NOW),
    )
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("lift_proposed_by", sa.String(length=80)),
        sa.Column("lift_proposed_at", INSTANT),
        sa.Column("lift_reason", sa.LargeBinary()),
    )
    for column in columns:
        op.add_column("misconduct_records", column, schema=place)
    if sqlite:
        _rebuild_items()
    else:
        op.alter_column("large_act_items", "certificate_id", nullable=True, schema=place)
        op.add_column("large_act_items", sa.Column("registration_id", sa.Integer()), schema=place)
        op.add_column("large_act_items", sa.Column("named", sa.String(length=80)), schema=place)
        op.create_foreign_key(
            "fk_large_act_items_registration_id",
            "large_act_items",
            "registrations",
            ["registration_id"],
            ["id"],
            source_schema=place,
            referent_schema=place,
        )
        op.execute(
            "UPDATE issuer.large_act_items AS i SET registration_id = c.registration_id "
            "FROM issuer.e_certificates AS c WHERE c.id = i.certificate_id"
        )


def _hearings() -> None:
    op.create_table(
        "hearings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("defence_id", sa.Integer(), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("clause", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=True),
        sa.Column("asked_why", sa.LargeBinary(), nullable=True),
        sa.Column("notified_at", INSTANT, nullable=True),
        sa.Column("notified_by", sa.String(length=80), nullable=True),
        sa.Column("starts_at", INSTANT, nullable=True),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("chair", sa.String(length=80), nullable=True),
        sa.Column("present", sa.LargeBinary(), nullable=True),
        sa.Column("minutes", sa.LargeBinary(), nullable=True),
        sa.Column("scan_key", sa.String(length=160), nullable=True),
        sa.Column("scan_type", sa.String(length=40), nullable=True),
        sa.Column("scan_sha256", sa.String(length=64), nullable=True),
        sa.Column("recorded_at", INSTANT, nullable=True),
        sa.Column("answer_due_on", sa.Date(), nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answered_by", sa.String(length=80), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(defence_id IS NULL) <> (case_id IS NULL)", name=op.f("ck_hearings_about_one_thing")),
        sa.CheckConstraint("chair IS NULL OR notified_at IS NOT NULL", name=op.f("ck_hearings_notified")),
        sa.ForeignKeyConstraint(["registration_id"], ["issuer.registrations.id"], name="fk_hearings_registration_id"),
        sa.ForeignKeyConstraint(["defence_id"], ["issuer.defence_statements.id"], name="fk_hearings_defence_id"),
        sa.ForeignKeyConstraint(["case_id"], ["issuer.invalidations.id"], name="fk_hearings_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hearings"),
        sa.UniqueConstraint("number", name="uq_hearings_number"),
        sa.UniqueConstraint("defence_id", name="uq_hearings_defence_id"),
        sa.UniqueConstraint("case_id", name="uq_hearings_case_id"),
        schema="issuer",
    )
    op.create_index("ix_issuer_hearings_registration_id", "hearings", ["registration_id"], schema="issuer")


def _rebuild_items() -> None:
    """SQLite cannot drop NOT NULL in place: the table is made anew with the same rows."""
    op.execute("CREATE TEMPORARY TABLE items_kept AS SELECT * FROM large_act_items")
    op.drop_table("large_act_items")
    op.create_table(
        "large_act_items",
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("named", sa.String(length=80), nullable=True),
        sa.Column("ground", sa.String(length=40), nullable=True),
        sa.Column("basis", sa.LargeBinary(), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("clause", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(["act_id"], ["large_acts.id"], name="fk_large_act_items_act_id"),
        sa.ForeignKeyConstraint(["certificate_id"], ["e_certificates.id"], name="fk_large_act_items_certificate_id"),
        sa.ForeignKeyConstraint(["registration_id"], ["registrations.id"], name="fk_large_act_items_registration_id"),
        sa.ForeignKeyConstraint(["case_id"], ["invalidations.id"], name="fk_large_act_items_case_id"),
        sa.PrimaryKeyConstraint("act_id", "position", name="pk_large_act_items"),
    )
    op.execute(
        f"INSERT INTO large_act_items (registration_id, {KEPT}) "  # noqa: S608 (fixed names) # nosec B608
        "SELECT (SELECT c.registration_id FROM e_certificates AS c WHERE c.id = k.certificate_id), "
        f"{KEPT} FROM items_kept AS k"
    )
    op.execute("DROP TABLE items_kept")
    op.create_index("ix_large_act_items_result", "large_act_items", ["act_id", "result"])
