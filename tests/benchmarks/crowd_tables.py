"""What the copier of an office must be told about its tables, since their keys do not say it."""

from sqlalchemy import Integer, Table

CASES = frozenset(("invalidations", "corrections", "data_objections"))

# Of these the office has one set, whoever else comes.
OFFICE = frozenset(
    (
        "programmes",
        "staff_accounts",
        "staff_sessions",
        "staff_sign_ins",
        "staff_second_factors",
        "staff_recovery_codes",
        "api_tokens",
        "saved_filters",
        "number_series",
        "idempotency_keys",
        "holder_sessions",
        "watchers",
        "watches",
        "watch_messages",
        "feed_position",
        "log_checkpoints",
        "log_leaves",
        "log_nodes",
        "status_lists",
        "status_list_history",
        "audit_events",
        "outbox",
    )
)
# One a copied sitting, not one a copied person.
OF_A_SITTING = frozenset(
    (
        "sittings",
        "batches",
        "announcements",
        "samplings",
        "roster_imports",
        "paper_booking_windows",
        "handover_registers",
        "large_acts",
        "paper_receipts",
    )
)
# Whose row this is, where no foreign key of its own says it: (the table that points here, its column).
OWNED_BY = {
    "persons": ("registrations", "person_id"),
    "large_acts": ("large_act_items", "act_id"),
    "paper_blanks": ("paper_certificates", "blank_id"),
    "paper_receipts": ("paper_blanks", "receipt_id"),
}
# Numbers of rows that the schema does not declare as foreign keys.
LOOSE = {
    ("registrations", "void_by"): "invalidations",
    ("scores", "void_by"): "invalidations",
    ("invalidations", "paper_id"): "paper_certificates",
    ("paper_certificates", "box_id"): "safekeeping_boxes",
    ("paper_certificates", "register_id"): "handover_registers",
    ("paper_certificates", "replaces_id"): "paper_certificates",
    ("paper_replacement_requests", "new_paper_id"): "paper_certificates",
    ("corrections", "successor_id"): "e_certificates",
}
CLAIMED = {
    "review": "registrations",
    "objection": "objections",
    "invalidation": "invalidations",
    "correction": "corrections",
    "replacement": "paper_replacement_requests",
    "data-objection": "data_objections",
}
SUBJECTS = {
    "registration": "registrations",
    "review": "registrations",
    "certificate": "e_certificates",
    "invalidation": "invalidations",
    "misconduct": "misconduct_records",
    "paper": "paper_certificates",
    "correction": "corrections",
    "copy": "annotated_copies",
    "objection": "objections",
    "replacement": "paper_replacement_requests",
    "data-objection": "data_objections",
    "box": "safekeeping_boxes",
}
# How a text that must differ does: a digest, a token, a number with digits after it, a name of few.
DIGESTS = frozenset(
    (
        "id_index",
        "file_sha256",
        "sha256",
        "number_digest",
        "holder_digest",
        "identity_digest",
        "credential_sha256",
    )
)
TOKENS = frozenset(
    (
        "token",
        "of_token",
        "superseded_by",
    )
)
NUMBERS = frozenset(
    (
        "admission_no",
        "management_no",
        "serial",
        "waybill",
        "copy_no",
        "label",
        "number",
        "list_id",
        "prefix",
    )
)


def number_key(table: Table) -> str | None:
    """The column that numbers a table's rows, if it is nobody else's key."""
    keys = list(table.primary_key)
    one = keys[0] if len(keys) == 1 else None
    return one.name if one is not None and isinstance(one.type, Integer) and not one.foreign_keys else None
