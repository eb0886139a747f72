"""Where personal data rests encrypted: every column, JSON field and stored file, with its purpose.

`EncryptedText` columns are found by themselves. What is sealed by hand is named here;
tests/issuer/personal_data/test_tables.py fails for a binary column that is neither.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from sqlalchemy import Table

import issuer.records
from issuer.records.announcements import FILE_PURPOSE
from issuer.records.base import Base
from issuer.records.encryption import EncryptedText
from issuer.records.hearings import RECORD_PURPOSE, SCAN_PURPOSE
from issuer.records.people import PHOTO_PURPOSE
from issuer.records.registration import MATERIAL_PURPOSE
from verifier.record.names import name_key

_T = TypeVar("_T")

BYTES = {
    ("scores", "score"): "scores.score",
    ("e_certificates", "credential"): "e_certificates.credential",
}
"""Columns of sealed bytes."""
JSON_FIELDS = {("idempotency_keys", "response"): ("sealed", "idempotency_keys.response")}
"""JSON columns with a sealed value, as base64, in one field."""
FILES = {
    ("registrations", "photo_key"): PHOTO_PURPOSE,
    ("announcements", "file_key"): FILE_PURPOSE,
    ("materials", "file_key"): MATERIAL_PURPOSE,
    ("hearings", "scan_key"): SCAN_PURPOSE,
    ("hearings", "record_key"): RECORD_PURPOSE,
}
"""Columns with the storage key of a sealed file."""
INDEXES: dict[tuple[str, str], tuple[str, str, Callable[[str], str]]] = {
    ("persons", "id_index"): ("id_no", "persons.id_no", str),
    ("registrations", "name_index"): ("name", "registrations.name", name_key),
    ("watchers", "address_index"): ("address", "watchers.address", str),
    ("staff_identities", "subject_index"): ("subject", "staff_identities.subject", str),
}
"""Blind indexes: the encrypted column they are of, purpose, and what is done to the value first."""


@dataclass(frozen=True, slots=True)
class SealedTable:
    """One table with sealed values, by column name."""

    table: Table
    texts: dict[str, str] = field(default_factory=dict)
    """Columns of sealed bytes, text or not: name → purpose."""
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, tuple[str, str, Callable[[str], str]]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the primary key's columns."""
        return tuple(column.name for column in self.table.primary_key.columns)


@cache
def all_tables() -> tuple[Table, ...]:
    """Every table of the private side, those others point to first."""
    for module in pkgutil.iter_modules(issuer.records.__path__):
        importlib.import_module(f"issuer.records.{module.name}")
    return tuple(Base.metadata.sorted_tables)


@cache
def sealed_tables() -> tuple[SealedTable, ...]:
    """Every table with something sealed or indexed in it."""
    found = []
    for table in all_tables():
        texts = {
            column.name: column.type.purpose for column in table.columns if isinstance(column.type, EncryptedText)
        }
        one = SealedTable(
            table,
            texts | _of(BYTES, table),
            _of(JSON_FIELDS, table),
            _of(FILES, table),
            _of(INDEXES, table),
        )
        if one.texts or one.fields or one.files:
            found.append(one)
    return tuple(found)


def _of(places: dict[tuple[str, str], _T], table: Table) -> dict[str, _T]:
    return {column: value for (name, column), value in places.items() if name == table.name}
