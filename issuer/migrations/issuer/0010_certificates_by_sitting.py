"""Certificates of a sitting, newest first, without sorting the sitting for each page."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index them."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    op.create_index("ix_e_certificates_sitting", "e_certificates", ["sitting_code", "id"], schema=place)
