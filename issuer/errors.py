"""Domain errors: what happened, what is kept, what to do next. Only `issuer.problems` knows HTTP."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages of the product, Chinese first."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} / {self.en}"


class DomainError(Exception):
    """A refusal a person can act on.

    `code` is stable and for programs; `words` says what happened; `remedy` what to do next;
    `clause` names the clause of the notice where the law refuses. No personal data in any of them.
    """

    status_hint = "refused"

    def __init__(self, code: str, words: Words, *, remedy: Words | None = None, clause: str | None = None) -> None:
        super().__init__(str(words))
        self.code = code
        self.words = words
        self.remedy = remedy
        self.clause = clause


class NotFoundError(DomainError):
    """Nothing by that name."""

    status_hint = "not-found"


class ConflictError(DomainError):
    """The state of things does not allow it, or somebody else was first."""

    status_hint = "conflict"


class InputError(DomainError):
    """What was sent cannot be used."""

    status_hint = "bad-input"


class TooLargeError(InputError):
    """What was sent is over a stated limit."""

    status_hint = "too-large"


class NotAllowedError(DomainError):
    """This person may not do that."""

    status_hint = "forbidden"


class UnavailableError(DomainError):
    """A part that is needed is missing or down; nothing was changed."""

    status_hint = "unavailable"


class ECertificateAlreadyIssued(ConflictError):
    """Paper replacement is refused once an electronic certificate was made (R14)."""
