"""Signs heads of the private audit chain with the log key, in the form of a checkpoint of another origin."""

from issuer.sealing.credential import HasSigners
from keys.public.purposes import KeyPurpose
from verifier.record.log_reading import sign_note


def sign_audit_head(room: HasSigners, text: str, origin: str) -> str:
    """The text as a signed note (C2SP signed-note, type 0x02). Its origin line keeps it apart from the public log."""
    signer = room.signer(KeyPurpose.LOG)
    return sign_note(text, origin, bytes.fromhex(signer.kid)[:4], signer.sign(text.encode()))
