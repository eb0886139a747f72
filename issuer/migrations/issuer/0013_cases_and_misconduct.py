"""Cases about a registration, certificate or not (R9); the misconduct record (R10, Order 31)."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PROPOSED = sa.text("state = 'proposed'")
BARE = sa.text("state = 'proposed' AND certificate_id IS NULL")
KEPT = (
    "id, certificate_id, sequence, kind, overturns_id, ground, basis, clause, state, effective_on, from_beginning, "
    "suspended, proposed_by, proposed_at, decided_by, decided_at, decision_note, overturned_by, overturned_at, "
    "overturned_basis"
)


def upgrade() -> None:
    """Cases: which registration; the certificate becomes optional. A table of its own for the misconduct record."""
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
        place = None
    else:
        place = "issuer"
        op.add_column("invalidations", sa.Column("registration_id", sa.Integer()), schema=place)
        op.add_column("invalidations", sa.Column("paper_id", sa.Integer()), schema=place)
        op.add_column("invalidations", sa.Column("misconduct_term", sa.String(length=16)), schema=place)
        op.execute(
            "UPDATE issuer.invalidations AS i SET registration_id = c.registration_id "
            "FROM issuer.e_certificates AS c WHERE c.id = i.certificate_id"
        )
        op.alter_column("invalidations", "registration_id", nullable=False, schema=place)
        op.alter_column("invalidations", "certificate_id", nullable=True, schema=place)
        op.create_foreign_key(
            "fk_invalidations_registration_id",
            "invalidations",
            "registrations",
            ["registration_id"],
            ["id"],
            source_schema=place,
            referent_schema=place,
        )
    op.create_index("ix_issuer_invalidations_registration_id", "invalidations", ["registration_id"], schema=place)
    op.create_index(
        "uq_invalidations_open_bare",
        "invalidations",
        ["registration_id"],
        unique=True,
        schema=place,
        sqlite_where=BARE,
        postgresql_where=BARE,
    )
    _misconduct()


def _rebuild() -> None:
    """SQLite cannot drop NOT NULL in place: the table is made anew with the same rows; references wait for commit."""
    op.execute("PRAGMA defer_foreign_keys=ON")
    op.execute("CREATE TEMPORARY TABLE invalidations_kept AS SELECT * FROM invalidations")
    op.drop_table("invalidations")
    op.create_table(
        "invalidations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=True),
        sa.Column("paper_id", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("overturns_id", sa.Integer(), nullable=True),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("misconduct_term", sa.String(length=16), nullable=True),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.Column("clause", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("from_beginning", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("proposed_by", sa.String(length=80), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.LargeBinary(), nullable=True),
        sa.Column("overturned_by", sa.String(length=80), nullable=True),
        sa.Column("overturned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overturned_basis", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('applied', 'overturned') OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name=op.f("ck_invalidations_two_people"),
        ),
        sa.ForeignKeyConstraint(["registration_id"], ["registrations.id"], name="fk_invalidations_registration_id"),
        sa.ForeignKeyConstraint(["certificate_id"], ["e_certificates.id"], name="fk_invalidations_certificate_id"),
        sa.ForeignKeyConstraint(["overturns_id"], ["invalidations.id"], name="fk_invalidations_overturns_id"),
        sa.PrimaryKeyConstraint("id", name="pk_invalidations"),
        sa.UniqueConstraint("certificate_id", "sequence", name="uq_invalidations_certificate_id_sequence"),
    )
    op.execute(
        f"INSERT INTO invalidations (registration_id, {KEPT}) "  # noqa: S608 (fixed names) # nosec B608
        "SELECT (SELECT c.registration_id FROM e_certificates AS c WHERE c.id = k.certificate_id), "
        f"{KEPT} FROM invalidations_kept AS k ORDER BY k.id"
    )
    op.execute("DROP TABLE invalidations_kept")
    op.create_index("ix_issuer_invalidations_certificate_id", "invalidations", ["certificate_id"])
    op.create_index("uq_invalidations_open", "invalidations", ["certificate_id"], unique=True, sqlite_where=PROPOSED)


def _misconduct() -> None:
    op.create_table(
        "misconduct_records",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("article", sa.String(length=24), nullable=False),
        sa.Column("term", sa.String(length=16), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("proposed_by", sa.String(length=80), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint("approved_by <> proposed_by", name=op.f("ck_misconduct_records_two_people")),
        sa.CheckConstraint(
            "(term = 'long-term') = (ends_on IS NULL)", name=op.f("ck_misconduct_records_term_has_its_end")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["issuer.invalidations.id"], name="fk_misconduct_records_case_id"),
        sa.ForeignKeyConstraint(["person_id"], ["issuer.persons.id"], name="fk_misconduct_records_person_id"),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_misconduct_records_registration_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_misconduct_records"),
        sa.UniqueConstraint("case_id", name="uq_misconduct_records_case_id"),
        schema="issuer",
    )
    op.create_index("ix_issuer_misconduct_records_person_id", "misconduct_records", ["person_id"], schema="issuer")
    op.create_table(
        "misconduct_considerations",
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["issuer.misconduct_records.id"], name="fk_misconduct_considerations_record_id"
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_misconduct_considerations_registration_id"
        ),
        sa.PrimaryKeyConstraint("record_id", "registration_id", name="pk_misconduct_considerations"),
        schema="issuer",
    )
    op.create_table(
        "transfer_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("to", sa.String(length=120), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["issuer.invalidations.id"], name="fk_transfer_notes_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_transfer_notes"),
        sa.UniqueConstraint("number", name="uq_transfer_notes_number"),
        schema="issuer",
    )
    op.create_index("ix_issuer_transfer_notes_case_id", "transfer_notes", ["case_id"], schema="issuer")
