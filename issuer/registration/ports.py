"""What this slice needs from outside: the composition root, and registers that facts are compared with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from issuer.roster.ports import FileStore, RosterContext
from issuer.rules.comparison import ComparisonOutcome, FactItem

__all__ = ["Answer", "ComparisonSource", "FileStore", "Question", "RegistrationContext", "SourceUnreachableError"]

RegistrationContext = RosterContext
"""Clock, database, data key, and the storage materials rest in."""


@dataclass(frozen=True, slots=True)
class Question:
    """One candidate a source is asked about, with what they declared by item. Personal data."""

    registration_id: int
    admission_no: str
    id_no: str
    name: str
    declared: Mapping[FactItem, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source says of one item: its own value, its own verdict, or both.

    With a value and no verdict the program compares by `issuer.rules.comparison.compare`. Neither: not found.
    """

    registration_id: int
    item: FactItem
    found: str | None = None
    verdict: ComparisonOutcome | None = None


class SourceUnreachableError(Exception):
    """The register did not answer. The text names no person."""


class ComparisonSource(Protocol):
    """A register: of education, of social insurance, of appointments. One file, or a service on a network.

    `name` is short and stable (education, employment); `version` says what day or release its data is of; `digest`
    is SHA-256 of the file it came in, or empty.
    """

    @property
    def name(self) -> str:
        """Short and stable: answers under one name follow one another."""
        ...

    @property
    def version(self) -> str:
        """What the data is of."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hex; empty without one."""
        ...

    @property
    def items(self) -> tuple[FactItem, ...]:
        """What it can answer about."""
        ...

    def answers(self, questions: Sequence[Question]) -> Iterable[Answer]:
        """Answers, in any order, for those it has something to say of; at most one for a person and item.

        Raises SourceUnreachableError: then every question is answered with `unreachable`.
        """
        ...
