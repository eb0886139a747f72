"""An issuer's database of any size: one real certificate with everything that belongs to it, copied by the server.

Every row of every table is there, with new keys; columns that nobody looks up by keep the first certificate's value.
Foreign keys are not asked while copying. The log gets as many leaves and one checkpoint, so that it goes on growing.
"""

import hashlib
from collections.abc import Mapping

import psycopg

from verifier.record.merkle import Frontier

FIRST = 1_000_000
"""Numbers of copies begin after this; real rows stay below."""
IN_A_SITTING = 20_000
IN_A_LIST = 131_072

_DIGEST = "md5('{0}' || g) || md5('{0}.' || g)"
_ROW = f"{FIRST} + g"
_SITTING = f"'OLD-' || g / {IN_A_SITTING}"
_TOKEN = "upper(substr(translate(md5('token' || g), '0189', 'wxyz'), 1, 26))"
_FILE = _DIGEST.format("file")

# Per table: the row to copy (a condition), and what is new in each copy; "" leaves a column to its default.
_COPIES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("issuer.persons", "id = {person}", {"id": _ROW, "id_index": _DIGEST.format("person")}),
    (
        "issuer.registrations",
        "id = {registration}",
        {
            "id": _ROW,
            "person_id": _ROW,
            "sitting_code": _SITTING,
            "admission_no": "g::text",
            "name_index": "md5('name' || g % 50000) || md5('name.' || g % 50000)",
        },
    ),
    ("issuer.scores", "registration_id = {registration}", {"registration_id": _ROW}),
    (
        "issuer.eligibility_reviews",
        "registration_id = {registration}",
        {"registration_id": _ROW, "sitting_code": _SITTING},
    ),
    ("issuer.review_events", "registration_id = {registration}", {"id": "", "registration_id": _ROW}),
    ("issuer.holdings", "person_id = {person}", {"person_id": _ROW}),
    (
        "issuer.e_certificates",
        "id = {certificate}",
        {
            "id": _ROW,
            "registration_id": _ROW,
            "person_id": _ROW,
            "sitting_code": _SITTING,
            "management_no": "'OLD' || g",
            "token": _TOKEN,
            "status": "CASE WHEN g % 100 = 0 THEN 'invalid' ELSE 'valid' END",
            "file_sha256": _FILE,
            "list_id": f"'old' || g / {IN_A_LIST}",
            "list_index": f"g % {IN_A_LIST}",
        },
    ),
    ("issuer.seal_intents", "certificate_id = {certificate}", {"id": "", "certificate_id": _ROW}),
    ("issuer.status_events", "certificate_id = {certificate}", {"id": "", "certificate_id": _ROW}),
    (
        "issuer.batch_items",
        "registration_id = {registration}",
        {"registration_id": _ROW, "certificate_id": _ROW, "batch_id": f"{FIRST} + g / {IN_A_SITTING}"},
    ),
    (
        "issuer.outbox",
        "sequence = (SELECT min(sequence) FROM issuer.outbox WHERE payload ->> 'token' = '{token}')",
        {"sequence": ""},
    ),
    (
        "public_record.certificates",
        "token = '{token}'",
        {
            "token": _TOKEN,
            "file_sha256": _FILE,
            "number_digest": _DIGEST.format("number"),
            "holder_digest": _DIGEST.format("holder"),
            "list_id": f"'old' || g / {IN_A_LIST}",
            "list_index": f"g % {IN_A_LIST}",
        },
    ),
    ("public_record.files", "token = '{token}'", {"token": _TOKEN, "sha256": _FILE}),
    ("public_record.status_changes", "token = '{token}'", {"token": _TOKEN}),
)
AUDIT_EVENTS = 3
"""Audit events of one certificate: intent, seal, publication."""


def digest(kind: str, number: int) -> str:
    """The `number` or `holder` digest that the public record has of a copy."""
    return "".join(hashlib.md5(f"{kind}{dot}{number}".encode()).hexdigest() for dot in ("", "."))


def grow(connection: psycopg.Connection, management_no: str, before: int, after: int) -> None:
    """Copy the certificate `management_no` until there are `after` copies; there are `before` now.

    The connection commits by itself.
    """
    keys = connection.execute(
        "SELECT id, person_id, registration_id, token FROM issuer.e_certificates WHERE management_no = %s",
        (management_no,),
    ).fetchone()
    assert keys is not None, "a published certificate"
    names = dict(zip(("certificate", "person", "registration", "token"), keys, strict=True))
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        series = f"generate_series({before + 1}, {after}) AS g"
        for table, condition, new in _COPIES:
            _copy(connection, table, condition.format(**names), new, series)
        sittings = f"generate_series({before // IN_A_SITTING}, {after // IN_A_SITTING}) AS g"
        _copy(connection, "issuer.sittings", "code NOT LIKE 'OLD-%'", {"code": "'OLD-' || g"}, sittings)
        batches = {"id": f"{FIRST} + g", "sitting_code": "'OLD-' || g"}
        _copy(connection, "issuer.batches", f"id < {FIRST}", batches, sittings)
        _audit(connection, (after - before) * AUDIT_EVENTS)
        _log(connection, after - before)
    connection.execute("VACUUM ANALYZE")


def _copy(connection: psycopg.Connection, table: str, condition: str, new: Mapping[str, str], series: str) -> None:
    schema, _, name = table.partition(".")
    columns = [
        column
        for (column,) in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
            " ORDER BY ordinal_position",
            (schema, name),
        )
        if new.get(column) != ""
    ]
    values = ", ".join(new.get(column, f'one."{column}"') for column in columns)
    wanted = ", ".join(f'"{column}"' for column in columns)
    connection.execute(
        f"WITH one AS MATERIALIZED (SELECT * FROM {table} WHERE {condition})"
        f" INSERT INTO {table} ({wanted}) SELECT {values} FROM {series}, one ON CONFLICT DO NOTHING".encode()
    )


def _audit(connection: psycopg.Connection, count: int) -> None:
    """Links like the last one. They do not form a chain that would verify; nothing here walks it."""
    row = connection.execute("SELECT max(sequence) FROM issuer.audit_events").fetchone()
    last = row[0] if row else 0
    new = {
        "sequence": f"{last} + g",
        "event_hash": f"decode(md5('a' || {last} + g) || md5('b' || {last} + g), 'hex')",
    }
    new["subject"] = f"'certificate:' || {FIRST} + ({last} + g) / {AUDIT_EVENTS}"
    _copy(connection, "issuer.audit_events", f"sequence = {last}", new, f"generate_series(1, {count}) AS g")


def _log(connection: psycopg.Connection, count: int) -> None:
    """Leaves, the hashes above them, and a checkpoint whose frontier the next real leaf is appended to."""
    newest = "SELECT frontier FROM public_record.log_checkpoints ORDER BY tree_size DESC LIMIT 1"
    row = connection.execute(newest).fetchone()
    frontier = Frontier.from_bytes(bytes(row[0])) if row else Frontier()
    size = frontier.size
    leaves = {
        "leaf_index": f"{size} - 1 + g",
        "leaf_hash": "decode(md5('l' || g) || md5('m' || g), 'hex')",
        "token": f"upper(substr(md5('leaf' || {size} + g), 1, 26))",
        "event_sequence": f"-({size} + g)",
    }
    _copy(connection, "public_record.log_leaves", "leaf_index = 0", leaves, f"generate_series(1, {count}) AS g")
    for _ in range(count):
        frontier.append(bytes(32))
    for level in (1, 2, 3):
        connection.execute(
            "INSERT INTO public_record.log_nodes SELECT %s, g, decode(md5('n' || g) || md5('o' || g), 'hex')"
            " FROM generate_series(0, %s) AS g ON CONFLICT DO NOTHING",
            (level, frontier.size // 256**level - 1),
        )
    connection.execute(
        "INSERT INTO public_record.log_checkpoints (tree_size, root_hash, frontier, signed_note, signed_at)"
        " SELECT %s, root_hash, %s, signed_note, signed_at FROM public_record.log_checkpoints"
        " ORDER BY tree_size DESC LIMIT 1",
        (frontier.size, frontier.to_bytes()),
    )
