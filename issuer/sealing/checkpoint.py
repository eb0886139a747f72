"""Signs checkpoints of the transparency log with the log key."""

from issuer.sealing.credential import HasSigners
from keys.public.purposes import KeyPurpose
from verifier.record.log_reading import Checkpoint, checkpoint_text, sign_note


def sign_checkpoint(room: HasSigners, checkpoint: Checkpoint) -> str:
    """The checkpoint as a signed note, signature type 0x02 (ECDSA); key name and origin are the same."""
    signer = room.signer(KeyPurpose.LOG)
    text = checkpoint_text(checkpoint)
    return sign_note(text, checkpoint.origin, bytes.fromhex(signer.kid)[:4], signer.sign(text.encode()))
