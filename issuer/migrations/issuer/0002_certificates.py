"""Holdings, certificates, batches, invalidations, paper."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "holdings",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("qualification", sa.String(length=255), nullable=False),
        sa.Column("e_certificate_made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paper_replacement_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["issuer.persons.id"], name="fk_holdings_person_id"),
        sa.PrimaryKeyConstraint("person_id", "qualification", name="pk_holdings"),
        schema="issuer",
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("plan_digest", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sitting_code"], ["issuer.sittings.code"], name="fk_batches_sitting_code"),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        schema="issuer",
    )
    op.create_index("ix_issuer_batches_sitting_code", "batches", ["sitting_code"], unique=False, schema="issuer")
    op.create_table(
        "e_certificates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("qualification", sa.String(length=255), nullable=False),
        sa.Column("management_no", sa.String(length=40), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=True),
        sa.Column("slot", sa.String(length=8), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("list_id", sa.String(length=32), nullable=False),
        sa.Column("list_index", sa.Integer(), nullable=False),
        sa.Column("template_version", sa.String(length=64), nullable=False),
        sa.Column("file_key", sa.String(length=160), nullable=True),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.Column("file_size", sa.Integer(), nullable=True),
        sa.Column("credential", sa.LargeBinary(), nullable=True),
        sa.Column("credential_sha256", sa.String(length=64), nullable=True),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["issuer.persons.id"], name="fk_e_certificates_person_id"),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_e_certificates_registration_id"
        ),
        sa.ForeignKeyConstraint(["sitting_code"], ["issuer.sittings.code"], name="fk_e_certificates_sitting_code"),
        sa.ForeignKeyConstraint(
            ["supersedes_id"], ["issuer.e_certificates.id"], name="fk_e_certificates_supersedes_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_e_certificates"),
        sa.UniqueConstraint("management_no", name="uq_e_certificates_management_no"),
        sa.UniqueConstraint("token", name="uq_e_certificates_token"),
        schema="issuer",
    )
    op.create_index(
        "ix_e_certificates_work", "e_certificates", ["sitting_code", "state"], unique=False, schema="issuer"
    )
    op.create_index(
        "ix_issuer_e_certificates_file_sha256", "e_certificates", ["file_sha256"], unique=False, schema="issuer"
    )
    op.create_index(
        "ix_issuer_e_certificates_registration_id",
        "e_certificates",
        ["registration_id"],
        unique=False,
        schema="issuer",
    )
    op.create_index(
        "uq_e_certificates_list_entry", "e_certificates", ["list_id", "list_index"], unique=True, schema="issuer"
    )
    op.create_index(
        "uq_e_certificates_live",
        "e_certificates",
        ["person_id", "qualification"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("slot = 'live'"),
        postgresql_where=sa.text("slot = 'live'"),
    )
    op.create_index(
        "uq_e_certificates_original",
        "e_certificates",
        ["person_id", "qualification"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("supersedes_id IS NULL AND slot IN ('pending', 'live')"),
        postgresql_where=sa.text("supersedes_id IS NULL AND slot IN ('pending', 'live')"),
    )
    op.create_index(
        "uq_e_certificates_successor",
        "e_certificates",
        ["supersedes_id"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("supersedes_id IS NOT NULL AND slot IN ('pending', 'live')"),
        postgresql_where=sa.text("supersedes_id IS NOT NULL AND slot IN ('pending', 'live')"),
    )
    op.create_table(
        "paper_replacement_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("qualification", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("clause", sa.String(length=8), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["issuer.persons.id"], name="fk_paper_replacement_requests_person_id"),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_paper_replacement_requests_registration_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_paper_replacement_requests"),
        schema="issuer",
    )
    op.create_index(
        "uq_paper_replacement_open",
        "paper_replacement_requests",
        ["person_id", "qualification"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("state = 'accepted'"),
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "batch_items",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("clause", sa.String(length=8), nullable=True),
        sa.Column("certificate_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["issuer.batches.id"], name="fk_batch_items_batch_id"),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["issuer.e_certificates.id"], name="fk_batch_items_certificate_id"
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_batch_items_registration_id"
        ),
        sa.PrimaryKeyConstraint("batch_id", "registration_id", name="pk_batch_items"),
        schema="issuer",
    )
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("new_name", sa.LargeBinary(), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("proposed_by", sa.String(length=80), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("successor_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'applied') OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name=op.f("ck_corrections_two_people"),
        ),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["issuer.e_certificates.id"], name="fk_corrections_certificate_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_corrections_certificate_id", "corrections", ["certificate_id"], unique=False, schema="issuer"
    )
    op.create_index(
        "uq_corrections_open",
        "corrections",
        ["certificate_id"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("state IN ('proposed', 'approved')"),
        postgresql_where=sa.text("state IN ('proposed', 'approved')"),
    )
    op.create_table(
        "invalidations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("overturns_id", sa.Integer(), nullable=True),
        sa.Column("ground", sa.String(length=40), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["issuer.e_certificates.id"], name="fk_invalidations_certificate_id"
        ),
        sa.ForeignKeyConstraint(["overturns_id"], ["issuer.invalidations.id"], name="fk_invalidations_overturns_id"),
        sa.PrimaryKeyConstraint("id", name="pk_invalidations"),
        sa.UniqueConstraint("certificate_id", "sequence", name="uq_invalidations_certificate_id_sequence"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_invalidations_certificate_id", "invalidations", ["certificate_id"], unique=False, schema="issuer"
    )
    op.create_index(
        "uq_invalidations_open",
        "invalidations",
        ["certificate_id"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "status_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason_class", sa.String(length=32), nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["issuer.e_certificates.id"], name="fk_status_events_certificate_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_status_events"),
        sa.UniqueConstraint("certificate_id", "sequence", name="uq_status_events_certificate_id_sequence"),
        schema="issuer",
    )
