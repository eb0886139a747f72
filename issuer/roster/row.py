"""One roster row that may be taken in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from issuer.registration.from_roster import Promise
from issuer.rules.comparison import FactItem
from issuer.rules.identity import Identity


@dataclass(slots=True)
class RosterRow:
    """A row that may be taken in, canonical. scores: subject → number as text, in the sitting's order."""

    row: int
    admission_no: str
    name: str
    gender: str
    identity: Identity
    birth_date: str
    specialty: str
    level: str
    city: str
    basis: str
    scores: tuple[str, ...]
    mobile: str
    employer: str
    photo_name: str
    photo_sha256: str | None = None
    facts: Mapping[FactItem, str] = field(default_factory=dict)
    promise: Promise | None = None

    def fingerprint(self) -> str:
        """Everything the roster says of this person but the photo, as one text; personal data."""
        identity = self.identity
        parts = (
            *(self.admission_no, self.name, self.gender, identity.id_type.value, identity.value, self.birth_date),
            *(self.specialty, self.level, self.city, self.basis, self.mobile, self.employer, *self.scores),
        )
        # Lists without these columns keep the digest they always had.
        more = [f"{item}={text}" for item, text in self.facts.items()]
        if self.promise is not None:
            more.append(f"{self.promise.version}@{self.promise.at.isoformat()}/{self.promise.own}")
        return "\x1f".join((*parts, *more))
