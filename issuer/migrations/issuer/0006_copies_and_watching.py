"""Purpose-bound copies; watchers, what they watch and what they are told; objections of holders to their data."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "annotated_copies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("copy_no", sa.String(length=48), nullable=False),
        sa.Column("purpose", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("list_id", sa.String(length=32), nullable=False),
        sa.Column("list_index", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("seal_kid", sa.String(length=32), nullable=False),
        sa.Column("file_key", sa.String(length=160), nullable=True),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.Column("file_size", sa.Integer(), nullable=True),
        sa.Column("credential_sha256", sa.String(length=64), nullable=True),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["issuer.e_certificates.id"], name=op.f("fk_annotated_copies_certificate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotated_copies")),
        sa.UniqueConstraint("copy_no", name=op.f("uq_annotated_copies_copy_no")),
        sa.UniqueConstraint("token", name=op.f("uq_annotated_copies_token")),
        schema="issuer",
    )
    op.create_index(
        op.f("ix_issuer_annotated_copies_certificate_id"),
        "annotated_copies",
        ["certificate_id"],
        unique=False,
        schema="issuer",
    )
    op.create_index(
        "uq_annotated_copies_list_entry", "annotated_copies", ["list_id", "list_index"], unique=True, schema="issuer"
    )
    op.create_table(
        "watchers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("address_index", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watchers")),
        sa.UniqueConstraint("public_id", name=op.f("uq_watchers_public_id")),
        schema="issuer",
    )
    op.create_index(
        op.f("ix_issuer_watchers_address_index"), "watchers", ["address_index"], unique=False, schema="issuer"
    )
    op.create_table(
        "watches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("watcher_id", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["issuer.e_certificates.id"], name=op.f("fk_watches_certificate_id")
        ),
        sa.ForeignKeyConstraint(["watcher_id"], ["issuer.watchers.id"], name=op.f("fk_watches_watcher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
        schema="issuer",
    )
    op.create_index(op.f("ix_issuer_watches_watcher_id"), "watches", ["watcher_id"], unique=False, schema="issuer")
    op.create_index(
        "uq_watches_standing",
        "watches",
        ["certificate_id", "watcher_id"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "watch_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("watcher_id", sa.Integer(), nullable=False),
        sa.Column("watch_id", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(length=40), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["watch_id"], ["issuer.watches.id"], name=op.f("fk_watch_messages_watch_id")),
        sa.ForeignKeyConstraint(["watcher_id"], ["issuer.watchers.id"], name=op.f("fk_watch_messages_watcher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_messages")),
        sa.UniqueConstraint("message_id", name=op.f("uq_watch_messages_message_id")),
        sa.UniqueConstraint("watch_id", "kind", "sequence", name=op.f("uq_watch_messages_watch_id_kind_sequence")),
        schema="issuer",
    )
    op.create_index(
        op.f("ix_issuer_watch_messages_watcher_id"), "watch_messages", ["watcher_id"], unique=False, schema="issuer"
    )
    op.create_index(
        "ix_watch_messages_due",
        "watch_messages",
        ["next_at"],
        unique=False,
        schema="issuer",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "data_objections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("matter", sa.String(length=16), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["issuer.persons.id"], name=op.f("fk_data_objections_person_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["issuer.registrations.id"], name=op.f("fk_data_objections_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_objections")),
        schema="issuer",
    )
    op.create_index(
        op.f("ix_issuer_data_objections_person_id"), "data_objections", ["person_id"], unique=False, schema="issuer"
    )
    op.create_index(
        "uq_data_objections_open",
        "data_objections",
        ["registration_id", "matter"],
        unique=True,
        schema="issuer",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
