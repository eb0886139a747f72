"""Alembic's environment: the caller (`runner`) hands over an open connection and says which side it is."""

from alembic import context

import issuer.records.access
import issuer.records.certificates
import issuer.records.corrections
import issuer.records.hearings
import issuer.records.ledger
import issuer.records.misconduct
import issuer.records.paper
import issuer.records.paper_keeping
import issuer.records.paper_post
import issuer.records.registration
import issuer.records.reviews
import issuer.records.work  # noqa: F401 (each adds its tables to the metadata)
from issuer.records.base import Base
from verifier.record.tables import metadata as public_metadata

connection = context.config.attributes["connection"]
side = context.config.attributes["side"]

context.configure(
    connection=connection,
    target_metadata=Base.metadata if side == "issuer" else public_metadata,
    version_table_schema=side if connection.dialect.name == "postgresql" else None,
    include_schemas=connection.dialect.name == "postgresql",
)
with context.begin_transaction():
    context.run_migrations()
