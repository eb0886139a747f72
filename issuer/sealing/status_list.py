"""Signs status lists, as JWT and as CWT, with the status-list key."""

from datetime import datetime

from issuer.sealing.credential import HasSigners
from keys.public.purposes import KeyPurpose
from verifier.record import jws
from verifier.record.cose import ALG, ES256, KID, TYP, encode_sign1
from verifier.record.status_list import CWT_TYPE, JWT_TYPE, StatusList, claims_cbor, claims_json


def sign_status_list(
    room: HasSigners,
    uri: str,
    statuses: StatusList,
    *,
    issued_at: datetime,
    expires_at: datetime,
    ttl: int,
    aggregation_uri: str | None = None,
) -> tuple[bytes, bytes]:
    """The list's JWT and CWT. `uri` is its public address, `ttl` how many seconds a reader may keep it;
    `aggregation_uri` is where the addresses of all lists stand."""
    signer = room.signer(KeyPurpose.STATUS_LIST)
    header = {"alg": "ES256", "kid": signer.kid, "typ": JWT_TYPE}
    listed = (uri, statuses, issued_at, expires_at, ttl, aggregation_uri)
    signed = jws.signing_input(header, claims_json(*listed))
    jwt = signed + b"." + jws.b64url(signer.sign_raw(signed)).encode()
    protected = {ALG: ES256, KID: bytes.fromhex(signer.kid), TYP: CWT_TYPE}
    cwt = encode_sign1(protected, claims_cbor(*listed), signer.sign_raw)
    return jwt, cwt
