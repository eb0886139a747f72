"""What looking at a file (or a credential) alone can tell, before the register is asked."""

from dataclasses import dataclass
from datetime import datetime

from keys.public.keyset import KeySet
from verifier.check.words import say
from verifier.record.credential import (
    CredentialClaims,
    CredentialMalformedError,
    CredentialUntrustedError,
    verify_credential,
)
from verifier.record.verdict import Check, Verdict


@dataclass(frozen=True, slots=True)
class DocumentFindings:
    """Result of `inspect_document`.

    `failure` is None when every step passed: the file is then one that we sealed, whole and unchanged;
    whether its certificate is valid today only the register can say. Otherwise it is the verdict to give.
    `credential` holds the attached COSE bytes and `claims` what they say, only when `failure` is None.
    `level` is the PAdES level found (B-B, B-T, B-LT, B-LTA); `sealed_at` the proven time of sealing (UTC).
    """

    failure: Verdict | None
    checks: tuple[Check, ...]
    credential: bytes | None = None
    claims: CredentialClaims | None = None
    level: str | None = None
    sealed_at: datetime | None = None

    @property
    def ok(self) -> bool:
        """Whether every step passed."""
        return self.failure is None


class InspectionUnavailableError(Exception):
    """The file could not be looked at, through no fault of its own; nothing can be said of it."""


class Refused(Exception):
    """A step did not pass: the verdict to give and the check that says why."""

    def __init__(self, verdict: Verdict, code: str, **values: str) -> None:
        super().__init__(code)
        self.verdict = verdict
        self.check = say(code, **values)


def read_credential_checked(cose: bytes, key_set: KeySet) -> tuple[CredentialClaims, Check]:
    """The claims of a credential that one of our QR keys signed; raises Refused with what is wrong."""
    try:
        verified = verify_credential(cose, key_set)
    except CredentialMalformedError as error:
        raise Refused(Verdict.MALFORMED, "credential-malformed") from error
    except CredentialUntrustedError as error:
        if error.code == "bad-signature":
            raise Refused(Verdict.ALTERED, "credential-altered") from error
        raise Refused(Verdict.UNTRUSTED, "credential-untrusted") from error
    return verified.claims, say("credential-verified")
