"""Sittings, people, staff accounts, eligibility reviews."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "holder_sessions",
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_holder_sessions"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_holder_sessions_person_id", "holder_sessions", ["person_id"], unique=False, schema="issuer"
    )
    op.create_table(
        "number_series",
        sa.Column("series", sa.String(length=80), nullable=False),
        sa.Column("next_serial", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name="pk_number_series"),
        schema="issuer",
    )
    op.create_table(
        "persons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("id_type", sa.String(length=24), nullable=False),
        sa.Column("id_index", sa.String(length=64), nullable=False),
        sa.Column("id_no", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_persons"),
        sa.UniqueConstraint("id_type", "id_index", name="uq_persons_id_type_id_index"),
        schema="issuer",
    )
    op.create_table(
        "programmes",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("medium", sa.String(length=16), nullable=False),
        sa.Column("review_body", sa.String(length=120), nullable=False),
        sa.Column("authority", sa.String(length=120), nullable=False),
        sa.Column("management_no_pattern", sa.String(length=120), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_programmes"),
        schema="issuer",
    )
    op.create_table(
        "staff_accounts",
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("display_name", sa.String(length=80), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("programmes", sa.JSON(), nullable=False),
        sa.Column("cities", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("username", name="pk_staff_accounts"),
        schema="issuer",
    )
    op.create_table(
        "api_tokens",
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["username"], ["issuer.staff_accounts.username"], name="fk_api_tokens_username"),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_api_tokens"),
        schema="issuer",
    )
    op.create_index("ix_issuer_api_tokens_username", "api_tokens", ["username"], unique=False, schema="issuer")
    op.create_table(
        "sittings",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("programme_code", sa.String(length=32), nullable=False),
        sa.Column("exam_ended_on", sa.Date(), nullable=False),
        sa.Column("results_released_on", sa.Date(), nullable=False),
        sa.Column("notice_opens_on", sa.Date(), nullable=False),
        sa.Column("notice_closes_on", sa.Date(), nullable=False),
        sa.Column("review_report_due_on", sa.Date(), nullable=False),
        sa.Column("supplementary_closes_on", sa.Date(), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=False),
        sa.Column("specialties", sa.JSON(), nullable=False),
        sa.Column("pass_marks", sa.JSON(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["programme_code"], ["issuer.programmes.code"], name="fk_sittings_programme_code"),
        sa.PrimaryKeyConstraint("code", name="pk_sittings"),
        schema="issuer",
    )
    op.create_table(
        "staff_sessions",
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["issuer.staff_accounts.username"], name="fk_staff_sessions_username"),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_staff_sessions"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_staff_sessions_username", "staff_sessions", ["username"], unique=False, schema="issuer"
    )
    op.create_table(
        "registrations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("admission_no", sa.String(length=40), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("name_index", sa.String(length=64), nullable=False),
        sa.Column("gender", sa.String(length=8), nullable=False),
        sa.Column("birth_date", sa.LargeBinary(), nullable=True),
        sa.Column("mobile", sa.LargeBinary(), nullable=True),
        sa.Column("employer", sa.LargeBinary(), nullable=True),
        sa.Column("city", sa.String(length=40), nullable=False),
        sa.Column("specialty", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("photo_key", sa.String(length=120), nullable=True),
        sa.Column("row_digest", sa.String(length=64), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("void_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_by", sa.Integer(), nullable=True),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["issuer.persons.id"], name="fk_registrations_person_id"),
        sa.ForeignKeyConstraint(["sitting_code"], ["issuer.sittings.code"], name="fk_registrations_sitting_code"),
        sa.PrimaryKeyConstraint("id", name="pk_registrations"),
        sa.UniqueConstraint("sitting_code", "admission_no", name="uq_registrations_sitting_code_admission_no"),
        sa.UniqueConstraint("sitting_code", "person_id", name="uq_registrations_sitting_code_person_id"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_registrations_person_id", "registrations", ["person_id"], unique=False, schema="issuer"
    )
    op.create_index("ix_registrations_name_index", "registrations", ["name_index"], unique=False, schema="issuer")
    op.create_table(
        "roster_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["sitting_code"], ["issuer.sittings.code"], name="fk_roster_imports_sitting_code"),
        sa.PrimaryKeyConstraint("id", name="pk_roster_imports"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_roster_imports_sitting_code", "roster_imports", ["sitting_code"], unique=False, schema="issuer"
    )
    op.create_table(
        "defence_statements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_defence_statements_registration_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_defence_statements"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_defence_statements_registration_id",
        "defence_statements",
        ["registration_id"],
        unique=False,
        schema="issuer",
    )
    op.create_table(
        "eligibility_reviews",
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("round", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_eligibility_reviews_registration_id"
        ),
        sa.ForeignKeyConstraint(
            ["sitting_code"], ["issuer.sittings.code"], name="fk_eligibility_reviews_sitting_code"
        ),
        sa.PrimaryKeyConstraint("registration_id", name="pk_eligibility_reviews"),
        schema="issuer",
    )
    op.create_index(
        "ix_eligibility_reviews_work",
        "eligibility_reviews",
        ["sitting_code", "outcome"],
        unique=False,
        schema="issuer",
    )
    op.create_table(
        "objections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sitting_code", sa.String(length=32), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", sa.String(length=80), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=80), nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=True),
        sa.Column("resolution", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_objections_registration_id"
        ),
        sa.ForeignKeyConstraint(["sitting_code"], ["issuer.sittings.code"], name="fk_objections_sitting_code"),
        sa.PrimaryKeyConstraint("id", name="pk_objections"),
        schema="issuer",
    )
    op.create_index(
        "ix_issuer_objections_registration_id", "objections", ["registration_id"], unique=False, schema="issuer"
    )
    op.create_index(
        "ix_issuer_objections_sitting_code", "objections", ["sitting_code"], unique=False, schema="issuer"
    )
    op.create_table(
        "review_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("round", sa.String(length=16), nullable=False),
        sa.Column("outcome_before", sa.String(length=24), nullable=False),
        sa.Column("outcome_after", sa.String(length=24), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("clause", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name="fk_review_events_registration_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_events"),
        sa.UniqueConstraint("registration_id", "version", name="uq_review_events_registration_id_version"),
        schema="issuer",
    )
    op.create_table(
        "scores",
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("score", sa.LargeBinary(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("void_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["registration_id"], ["issuer.registrations.id"], name="fk_scores_registration_id"),
        sa.PrimaryKeyConstraint("registration_id", "subject", name="pk_scores"),
        schema="issuer",
    )
