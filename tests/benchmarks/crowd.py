"""An office of any size: `tests.factories.model_office` copied by the database, with everything that belongs to it.

The copier reads the tables' own keys, so a table added tomorrow is copied too, or it says which column it cannot
copy. Every copied person has a registration, review, scores, certificate or paper, cases and audit events like the
model's; those of a sitting stand in copies of it, at most `IN_A_SITTING` in each. The audit chain is a true one. The
public log is not grown (`make growth` does that).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Engine, String, Table, UniqueConstraint, select, text

from issuer.records.base import Base
from issuer.records.ledger import AuditEvent
from tests.benchmarks.crowd_chain import Subject, chain, write
from tests.benchmarks.crowd_tables import (
    CASES,
    CLAIMED,
    DIGESTS,
    LOOSE,
    NUMBERS,
    OF_A_SITTING,
    OFFICE,
    OWNED_BY,
    SUBJECTS,
    TOKENS,
    number_key,
)
from verifier.record import tables as public

IN_A_SITTING = 20_000
LAST_NAMES = 50_000
"""Different names; those of one name are found together."""
WAITING_IN = 10
"""Cases about certificates wait in one copy of so many, the latest; older copies' were decided and are left out."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many copies there are of each sitting's people: {sitting code: copies}, and how many copied sittings."""

    copies: Mapping[str, int]
    sittings: Mapping[str, int]

    @classmethod
    def of(cls, people: int, model: Mapping[str, int], shares: Mapping[str, int]) -> "Crowd":
        """`people` in all, shared out in per cent among the model's sittings ({code: people in the model})."""
        copies = {code: -(-people * shares[code] // 100 // size) for code, size in model.items()}
        return cls(copies, {code: -(-count * model[code] // IN_A_SITTING) for code, count in copies.items()})


class Copier:
    """Copies the rows of an office's database and of its public record (the same database, or another file)."""

    def __init__(self, engine: Engine, register: Engine, crowd: Crowd, model: Mapping[str, int]) -> None:
        self._engine, self._register, self._crowd = engine, register, crowd
        self._per_sitting = {code: IN_A_SITTING // size for code, size in model.items()}
        self._postgres = engine.dialect.name == "postgresql"
        self._tables: dict[str, Table] = {}
        for metadata in (Base.metadata, public.metadata):
            for table in metadata.sorted_tables:
                # The certificates of the public record have a namesake only in what they are called.
                self._tables[f"public.{table.name}" if table.schema == public.SCHEMA else table.name] = table
        self._rows: dict[str, list[Mapping[str, Any]]] = {}
        self._strides: dict[str, int] = {}
        self._owners: dict[tuple[str, Any], str | None] = {}

    def run(self) -> None:
        """Copy everything. Raises AssertionError for a table whose rows could not be told apart."""
        with self._engine.connect() as private, self._register.connect() as register:
            for name, table in self._tables.items():
                rows = (register if name.startswith("public.") else private).execute(select(table))
                self._rows[name] = [dict(row._mapping) for row in rows]
                key = number_key(table)
                self._strides[name] = 1 + max((row[key] for row in self._rows[name]), default=0) if key else 0
            for connection in (private, register):
                connection.rollback()
                self._off(connection)
            for name, table in self._tables.items():
                if name.removeprefix("public.") not in OFFICE and self._rows[name]:
                    self._copy(register if name.startswith("public.") else private, name, table)
            # What the program noted while rows were copied belongs before the copies' events.
            newest = select(AuditEvent.sequence, AuditEvent.event_hash).order_by(AuditEvent.sequence.desc()).limit(1)
            sequence, head = private.execute(newest).one()
            private.rollback()
            raw = private.connection.dbapi_connection
            assert raw is not None
            copies = chain(self._rows["audit_events"], self._subject, self._crowd.copies, sequence, bytes(head))
            write(raw, copies, postgres=self._postgres)
            for connection in (register, private):
                self._on(connection)

    def copied(self, name: str, code: str, number: int, copy: int) -> int:
        """The key of copy `copy` of the model's row `number` of a table."""
        of_sitting = name in OF_A_SITTING
        return number + (self.sitting_of(code, copy) if of_sitting else copy) * self._strides[name]

    def sitting_of(self, code: str, copy: int) -> int:
        """The number of the copied sitting that a copy's people sat in."""
        return (copy - 1) // self._per_sitting[code] + 1

    def _off(self, connection: Connection) -> None:
        if self._postgres:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text("SET synchronous_commit = off"))
            connection.commit()
            return
        raw: Any = connection.connection.dbapi_connection
        raw.create_function("digest_like", 2, lambda old, g: f"{old[:48]}{g:016x}", deterministic=True)
        raw.create_function("token_like", 2, lambda old, g: old[:14] + _lettered(g), deterministic=True)
        connection.rollback()
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-400000"):
            raw.execute(f"PRAGMA {pragma}")

    def _on(self, connection: Connection) -> None:
        if not self._postgres:
            return
        for name, table in self._tables.items():
            key = number_key(table)
            if key and self._rows[name] and "public." not in name:
                sequence = f"pg_get_serial_sequence('{table.schema}.{table.name}', '{key}')"
                largest = f"(SELECT max({key}) FROM {table.schema}.{table.name})"
                connection.execute(text(f"SELECT setval({sequence}, {largest}) WHERE {sequence} IS NOT NULL"))
        connection.execute(text("SET session_replication_role = DEFAULT"))
        connection.execute(text("SET synchronous_commit = on"))
        connection.commit()
        raw: Any = connection.connection.dbapi_connection
        raw.autocommit = True
        raw.execute("VACUUM ANALYZE")
        raw.autocommit = False

    def _copy(self, connection: Connection, name: str, table: Table) -> None:
        self._require_apart(name, table)
        for row in self._rows[name]:
            owner = self._owner(name, row)
            if owner is None:
                continue
            of_sitting = name in OF_A_SITTING
            last = self._crowd.sittings[owner] if of_sitting else self._crowd.copies[owner]
            waits = name in CASES and row["state"] in ("open", "proposed")
            first = last - last // WAITING_IN if waits else 1
            values = {}
            for column in table.columns:
                value = self._value(name, table, column, row, owner, of_sitting)
                values[column.name] = value if value else f'one."{column.name}"'
            wanted = ", ".join(f'"{column}"' for column in values)
            place = f"{table.schema}.{table.name}" if self._postgres else table.name
            keys = [column.name for column in table.primary_key]
            same = " AND ".join(f'one."{key}" = :k{at}' for at, key in enumerate(keys))
            connection.execute(
                text(
                    f"INSERT INTO {place} ({wanted}) {self._series(first, last)} SELECT {', '.join(values.values())}"
                    f" FROM series, {place} AS one WHERE {same}"
                ),
                {f"k{at}": row[key] for at, key in enumerate(keys)},
            )
        connection.commit()

    def _series(self, first: int, last: int) -> str:
        if self._postgres:
            return f"WITH series(g) AS (SELECT generate_series({first}, {last}))"
        return (
            f"WITH RECURSIVE series(g) AS (SELECT {first} WHERE {last} >= {first} UNION ALL SELECT g + 1 FROM series"
            f" WHERE g < {last})"
        )

    def _value(
        self, name: str, table: Table, column: Column[Any], row: Mapping[str, Any], owner: str, of_sitting: bool
    ) -> str | None:
        """The SQL for a column of a copy; None where it keeps the model's value."""
        own = f'one."{column.name}"'
        sitting = "g" if of_sitting else f"((g - 1) / {self._per_sitting[owner]} + 1)"
        target = self._target(name, column, row)
        if target == "sittings" or (name == "sittings" and column.name == "code"):
            return f"{own} || '-' || {sitting}"
        if target is not None and target.removeprefix("public.") not in OFFICE and column.type.python_type is int:
            return f"{own} + {sitting if target in OF_A_SITTING else 'g'} * {self._strides[target]}"
        if column.name == number_key(table):
            return f"{own} + g * {self._strides[name]}"
        if name == "large_act_items" and column.name == "position":
            return f"{own} + g * 100"
        if column.name == "name_index":
            return self._digest(own, f"(g % {LAST_NAMES})")
        if column.name in DIGESTS:
            return self._digest(own, "g")
        if column.name in TOKENS:
            return self._token(own)
        if column.name in NUMBERS and isinstance(column.type, String):
            return f"{own} || '{'-' if column.name in ('list_id', 'label') else '0'}' || g"
        return None

    def _digest(self, own: str, number: str) -> str:
        if self._postgres:
            return f"substr({own}, 1, 48) || lpad(to_hex({number}), 16, '0')"
        return f"CASE WHEN {own} IS NULL THEN NULL ELSE digest_like({own}, {number}) END"

    def _token(self, own: str) -> str:
        if self._postgres:
            return f"substr({own}, 1, 14) || translate(lpad(g::text, 12, '0'), '0189', 'WXYZ')"
        return f"CASE WHEN {own} IS NULL THEN NULL ELSE token_like({own}, g) END"

    def _target(self, name: str, column: Column[Any], row: Mapping[str, Any]) -> str | None:
        if (name, column.name) == ("case_claims", "case_id"):
            return CLAIMED[row["kind"]]
        for key in column.foreign_keys:
            table = key.column.table
            return f"public.{table.name}" if table.schema == public.SCHEMA else table.name
        return LOOSE.get((name, column.name))

    def _owner(self, name: str, row: Mapping[str, Any]) -> str | None:
        """The code of the model's sitting that a row belongs to; None for what belongs to the office."""
        key = (name, tuple(row[column.name] for column in self._tables[name].primary_key))
        if key not in self._owners:
            self._owners[key] = None  # while it is being looked for
            self._owners[key] = self._found_owner(name, row)
        return self._owners[key]

    def _found_owner(self, name: str, row: Mapping[str, Any]) -> str | None:
        if name == "sittings" or "sitting_code" in row:
            return str(row["code"] if name == "sittings" else row["sitting_code"])
        if name in OWNED_BY:
            from_table, column = OWNED_BY[name]
            found = (each for each in self._rows[from_table] if each[column] == row["id"])
            return next((owner for each in found if (owner := self._owner(from_table, each))), None)
        if name == "public.certificates":
            found = (each for each in self._rows["e_certificates"] if each["token"] == row["token"])
            return next((self._owner("e_certificates", each) for each in found), None)
        for column in self._tables[name].columns:
            target = self._target(name, column, row)
            if target is None or target.removeprefix("public.") in OFFICE or row[column.name] is None:
                continue
            pointed = self._keyed(target, row[column.name])
            if pointed is not None and (owner := self._owner(target, pointed)):
                return owner
        return None

    def _keyed(self, name: str, key: Any) -> Mapping[str, Any] | None:
        column = next(iter(self._tables[name].primary_key)).name
        return next((row for row in self._rows[name] if row[column] == key), None)

    def _require_apart(self, name: str, table: Table) -> None:
        """Every key of the table has a column that differs from copy to copy."""
        keys = [tuple(table.primary_key)]
        keys += [tuple(each.columns) for each in table.constraints if isinstance(each, UniqueConstraint)]
        keys += [tuple(index.columns) for index in table.indexes if index.unique]
        row = self._rows[name][0]
        for key in keys:
            differs = any(self._value(name, table, column, row, self._any_sitting, False) for column in key)
            assert differs, f"{name}: say how {[column.name for column in key]} differs in a copy"

    @property
    def _any_sitting(self) -> str:
        return next(iter(self._per_sitting))

    def _subject(self, subject: str) -> Subject | None:
        kind, _, number = subject.partition(":")
        name = SUBJECTS.get(kind)
        row = self._keyed(name, int(number)) if name and number.isdigit() else None
        owner = self._owner(name, row) if name and row else None
        return (kind, int(number), self._strides[name], owner) if name and owner else None


def _lettered(number: int) -> str:
    """Twelve characters of the tokens' alphabet."""
    return f"{number:012}".translate(str.maketrans("0189", "WXYZ"))
