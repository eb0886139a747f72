"""Signs the QR credential with the QR key."""

from typing import Protocol

from keys.private.signer import Signer
from keys.public.purposes import KeyPurpose
from verifier.record.cose import ALG, ES256, KID, encode_sign1
from verifier.record.credential import CredentialClaims, encode_claims


class HasSigners(Protocol):
    """What signing needs of the sealing room."""

    def signer(self, purpose: KeyPurpose) -> Signer:
        """The key in use for `purpose`."""
        ...


def sign_credential(room: HasSigners, claims: CredentialClaims) -> bytes:
    """The COSE_Sign1 bytes of `claims` (layout: `verifier.record.credential`)."""
    signer = room.signer(KeyPurpose.QR_CREDENTIAL)
    protected = {ALG: ES256, KID: bytes.fromhex(signer.kid)}
    return encode_sign1(protected, encode_claims(claims), signer.sign_raw)
