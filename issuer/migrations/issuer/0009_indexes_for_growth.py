"""Indexes without which a question reads a whole table: rows of each are named with the question."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEXES = (
    # the successor of a certificate, asked with every look at one
    ("ix_e_certificates_supersedes", "e_certificates", ["supersedes_id"], "supersedes_id IS NOT NULL"),
    # lists of certificates that are not valid, newest first
    ("ix_e_certificates_not_valid", "e_certificates", ["status", "id"], "status <> 'valid'"),
    # a person by ID number alone
    ("ix_persons_id_index", "persons", ["id_index"], None),
    # what the public record has not been told yet, in order
    ("ix_outbox_waiting", "outbox", ["sequence"], "applied_at IS NULL"),
)


def upgrade() -> None:
    """Make them."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    for name, table, columns, condition in INDEXES:
        where = sa.text(condition) if condition else None
        op.create_index(name, table, columns, schema=place, sqlite_where=where, postgresql_where=where)
