"""Second factors of staff, sign-ins that wait for them; the audit trail refuses every change but an addition."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the triggers."""
    op.create_table(
        "staff_second_factors",
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_counter", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["issuer.staff_accounts.username"], name="fk_staff_second_factors_username"
        ),
        sa.PrimaryKeyConstraint("username", name="pk_staff_second_factors"),
        schema="issuer",
    )
    op.create_table(
        "staff_recovery_codes",
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["username"], ["issuer.staff_accounts.username"], name="fk_staff_recovery_codes_username"
        ),
        sa.PrimaryKeyConstraint("code_sha256", name="pk_staff_recovery_codes"),
        schema="issuer",
    )
    op.create_index("ix_issuer_staff_recovery_codes_username", "staff_recovery_codes", ["username"], schema="issuer")
    op.create_table(
        "staff_sign_ins",
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["issuer.staff_accounts.username"], name="fk_staff_sign_ins_username"),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_staff_sign_ins"),
        schema="issuer",
    )
    op.create_index("ix_issuer_staff_sign_ins_username", "staff_sign_ins", ["username"], schema="issuer")
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


SQLITE = (
    "CREATE TRIGGER audit_events_keep_updates BEFORE UPDATE ON audit_events "
    "BEGIN SELECT RAISE(ABORT, 'audit events are only ever added'); END",
    "CREATE TRIGGER audit_events_keep_deletes BEFORE DELETE ON audit_events "
    "BEGIN SELECT RAISE(ABORT, 'audit events are only ever added'); END",
    # INSERT OR REPLACE removes the old row without asking the trigger above.
    "CREATE TRIGGER audit_events_keep_replaces BEFORE INSERT ON audit_events "
    "WHEN EXISTS (SELECT 1 FROM audit_events WHERE sequence = NEW.sequence OR event_hash = NEW.event_hash) "
    "BEGIN SELECT RAISE(ABORT, 'audit events are only ever added'); END",
)
POSTGRESQL = (
    "CREATE FUNCTION issuer.keep_audit_events() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit events are only ever added'; END $$",
    "CREATE TRIGGER audit_events_keep_rows BEFORE UPDATE OR DELETE ON issuer.audit_events "
    "FOR EACH ROW EXECUTE FUNCTION issuer.keep_audit_events()",
    "CREATE TRIGGER audit_events_keep_all BEFORE TRUNCATE ON issuer.audit_events "
    "FOR EACH STATEMENT EXECUTE FUNCTION issuer.keep_audit_events()",
)
