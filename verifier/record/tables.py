"""Schema `public_record`: what the issuer publishes and the verifier may only SELECT.

On SQLite the schema is a file of its own; on PostgreSQL it is a schema with a read-only role.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

from verifier.record.instants import UtcInstant

SCHEMA = "public_record"
metadata = MetaData(schema=SCHEMA)

certificates = Table(
    "certificates",
    metadata,
    Column("token", String(32), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("reason_class", String(32)),
    Column("programme_code", String(32), nullable=False),
    Column("programme_name", String(80), nullable=False),
    Column("level", String(16), nullable=False),
    Column("specialty", String(80), nullable=False),
    Column("approved_on", Date, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("file_sha256", String(64), nullable=False),
    Column("credential_sha256", String(64), nullable=False),
    Column("number_digest", String(64), nullable=False, unique=True),
    Column("holder_digest", String(64), nullable=False, index=True),
    Column("list_id", String(32), nullable=False),
    Column("list_index", Integer, nullable=False),
    Column("published_at", UtcInstant(), nullable=False),
    Column("status_changed_at", UtcInstant()),
    Column("effective_on", Date),
    Column("superseded_by", String(32)),
    Column("identity_digest", String(64)),
    Index("uq_certificates_list_entry", "list_id", "list_index", unique=True),
    # A certificate by the file it was published with, as quickly as by its token. The head alone is kept: a third of
    # the room, and two files with the same 64 bits are still told apart. PostgreSQL asks for many files at once.
    Index("ix_certificates_file_head", text("substr(file_sha256, 1, 16)")).ddl_if(dialect="sqlite"),
)

files = Table(
    "files",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("token", String(32), ForeignKey(certificates.c.token), nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # original | extended | copy
    Column("valid_until", Date),  # purpose-bound copies only
)

copies = Table(
    "copies",
    metadata,
    # Purpose-bound copies. Their status is that of their certificate, so that they fall with it by themselves.
    Column("token", String(32), primary_key=True),
    Column("of_token", String(32), ForeignKey(certificates.c.token), nullable=False, index=True),
    Column("file_sha256", String(64), nullable=False, unique=True),
    Column("credential_sha256", String(64), nullable=False),
    Column("number_digest", String(64), nullable=False, unique=True),
    Column("holder_digest", String(64), nullable=False, index=True),
    Column("identity_digest", String(64)),
    Column("list_id", String(32), nullable=False),  # the copy's own entry: set when it is withdrawn
    Column("list_index", Integer, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("published_at", UtcInstant(), nullable=False),
    Column("withdrawn_at", UtcInstant()),
)

status_changes = Table(
    "status_changes",
    metadata,
    Column("token", String(32), ForeignKey(certificates.c.token), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("reason_class", String(32)),
    Column("effective_on", Date, nullable=False),
    Column("changed_at", UtcInstant(), nullable=False),
    Column("from_beginning", Boolean, nullable=False, default=False, server_default=false()),
)

status_lists = Table(
    "status_lists",
    metadata,
    Column("list_id", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("packed", LargeBinary, nullable=False),  # 2 bits an entry, little end first, not compressed
    Column("token_jwt", LargeBinary, nullable=False),
    Column("token_cwt", LargeBinary, nullable=False),
    Column("issued_at", UtcInstant(), nullable=False),
    Column("expires_at", UtcInstant(), nullable=False),
)

status_list_history = Table(
    "status_list_history",
    metadata,
    # Every version that said something new, and one for each stretch of time in which nothing did: together they
    # answer for every instant since the first.
    Column("list_id", String(32), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("token_jwt", LargeBinary, nullable=False),
    Column("token_cwt", LargeBinary, nullable=False),
    Column("issued_at", UtcInstant(), nullable=False),
    Column("expires_at", UtcInstant(), nullable=False),
    Index("ix_public_record_status_list_history_issued", "list_id", "issued_at"),
)

feed_position = Table(
    "feed_position",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("position", BigInteger, nullable=False),  # highest outbox sequence applied here
    Column("applied_at", UtcInstant(), nullable=False),
)

log_leaves = Table(
    "log_leaves",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Column("token", String(32), nullable=False, index=True),
    # The outbox event this leaf came from. Unique: the same event is never applied twice.
    Column("event_sequence", BigInteger, nullable=False, unique=True),
)

log_nodes = Table(
    "log_nodes",
    metadata,
    # Hashes of complete subtrees of 256**level leaves (level 1 and up), so that no tile needs the whole log.
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("node_hash", LargeBinary(32), nullable=False),
)

log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("root_hash", LargeBinary(32), nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # `verifier.record.log_reading.Frontier`
    Column("signed_note", Text, nullable=False),
    Column("signed_at", UtcInstant(), nullable=False),
)
