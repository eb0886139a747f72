"""The sealed record of a hearing: where it rests, its digest, and the digest of the page it was sealed from."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty until the record is asked for after the hearing is over."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    op.add_column("hearings", sa.Column("record_key", sa.String(length=160), nullable=True), schema=place)
    op.add_column("hearings", sa.Column("record_sha256", sa.String(length=64), nullable=True), schema=place)
    op.add_column("hearings", sa.Column("record_of", sa.String(length=64), nullable=True), schema=place)
