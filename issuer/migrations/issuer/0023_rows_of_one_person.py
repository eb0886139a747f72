"""A person's certificates and batch entries are found by index, however many others there are."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index them; no row changes."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    op.create_index("ix_e_certificates_person", "e_certificates", ["person_id"], schema=place)
    op.create_index("ix_paper_certificates_person", "paper_certificates", ["person_id"], schema=place)
    op.create_index("ix_batch_items_registration", "batch_items", ["registration_id"], schema=place)
    op.create_index("ix_batch_items_certificate", "batch_items", ["certificate_id"], schema=place)
