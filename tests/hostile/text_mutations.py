"""Changed QR texts and status list tokens: characters, hosts, COSE and JOSE structure, foreign signatures."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from issuer.sealing.credential import sign_credential
from keys.public.purposes import KeyPurpose
from tests.hostile.arsenal import Arsenal
from verifier.record import cbor, jws
from verifier.record.cose import decode_sign1
from verifier.record.credential import read_credential
from verifier.record.qr import b32, parse_qr

_LOOKALIKES = str.maketrans({"0": "O", "1": "l", "O": "0", "I": "1", "A": "А", "E": "Е", "o": "о", "S": "Ѕ"})
_HOSTS = (
    *("127.0.0.1:8001", "127.0.0.1:8000@evil.example", "evil.example", "127.0.0.1.evil.example", "127.1:8000"),
    *("2130706433:8000", "0x7f.1:8000", "127.0.0.1:08000", "127.0.0.1:8000.", "[::1]:8000", "127.0.0.1:8000\\@x"),
    *("１２７.0.0.1:8000", "127。0。0。1:8000", "localhost:8000", "127.0.0.1:80000", "xn--127-0.example"),
)
_SCHEMES = ("javascript:", "data:text/html,", "http:/", "HTTPS:\\\\", "ftp://", "//", "WIFI:S:x;;", "BEGIN:VCARD\n")


def changed_qr(chance: random.Random, arsenal: Arsenal) -> str:
    """One QR text that none of our certificates bears."""
    text = chance.choice(arsenal.qr_texts)
    kind = chance.choice((_characters, _address, _payload_bytes, _claims, _headers, _exchanged, _foreign))
    return kind(chance, arsenal, text)


def _characters(chance: random.Random, _: Arsenal, text: str) -> str:
    letters = list(text)
    for _n in range(chance.randint(1, 4)):
        at = chance.randrange(len(letters))
        what = chance.randrange(5)
        if what == 0:
            letters[at] = chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567#/:%?&\x00\n é\u202e\ufeff")
        elif what == 1:
            letters[at] = ""
        elif what == 2:
            letters[at] *= chance.choice((2, 3, 900))
        elif what == 3:
            letters[at] = letters[at].translate(_LOOKALIKES)
        else:
            letters[at] = letters[at].swapcase()
    return "".join(letters)


def _address(chance: random.Random, _: Arsenal, text: str) -> str:
    scheme, rest = text.split("//", 1)
    host, tail = rest.split("/", 1)
    what = chance.randrange(4)
    if what == 0:
        return f"{scheme}//{chance.choice(_HOSTS)}/{tail}"
    if what == 1:
        return chance.choice(_SCHEMES) + rest
    if what == 2:
        return f"{scheme}//{host}/{chance.choice(('../', 'x/', '%2e%2e/', '/', '?', 'v/../'))}{tail}"
    return f"{text}{chance.choice(('?x=1', '#A', '&', '/', ' https://evil.example/v/', chr(10) + text))}"


def _payload_bytes(chance: random.Random, _: Arsenal, text: str) -> str:
    head, payload = text.split("#")
    data = bytearray(parse_qr(text).payload or b"")
    for _n in range(chance.randint(1, 3)):
        at = chance.randrange(len(data))
        if chance.random() < 0.7:
            data[at] ^= 1 << chance.randrange(8)
        else:
            data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        if not data:
            return head + "#" + payload[:-1]
    return f"{head}#{b32(bytes(data))}"


def _claims(chance: random.Random, _: Arsenal, text: str) -> str:
    """Other claims under the old signature."""
    head = text.split("#")[0]
    message = decode_sign1(parse_qr(text).payload or b"")
    claims = cbor.decode(message.payload)
    label = chance.choice(list(claims))
    claims[label] = _other(chance, claims[label])
    return f"{head}#{b32(_sign1(message.protected_bytes, {}, cbor.encode(claims), message.signature))}"


def _headers(chance: random.Random, _: Arsenal, text: str) -> str:
    """Headers moved, added or exchanged; a signature of another length."""
    head = text.split("#")[0]
    message = decode_sign1(parse_qr(text).payload or b"")
    protected: dict[Any, Any] = dict(message.protected)
    unprotected: dict[Any, Any] = {}
    signature = message.signature
    what = chance.randrange(5)
    if what == 0:
        unprotected[chance.choice((1, 4, 33, 99))] = chance.choice((-7, b"12345678", "x"))
    elif what == 1:
        protected[chance.choice(list(protected))] = chance.choice((-7, -8, -35, 5, b"\0" * 8, "none", None, 0))
    elif what == 2:
        signature = chance.choice(
            (b"", signature[:63], signature + b"\0", bytes(64), signature[32:] + signature[:32])
        )
    elif what == 3:
        label = chance.choice(list(protected))
        unprotected[label] = protected.pop(label)
    else:
        protected[2] = [99]
    return f"{head}#{b32(_sign1(cbor.encode(protected), unprotected, message.payload, signature))}"


def _exchanged(chance: random.Random, arsenal: Arsenal, _: str) -> str:
    """One certificate's address with another's payload."""
    first, second = chance.sample(arsenal.qr_texts, 2)
    return first.split("#")[0] + "#" + second.split("#")[1]


def _foreign(chance: random.Random, arsenal: Arsenal, text: str) -> str:
    """Plausible claims signed by an authority of the attacker's own."""
    head = text.split("#")[0]
    claims, _ = read_credential(parse_qr(text).payload or b"")
    later = claims.issued_at + timedelta(days=chance.randint(-400, 400))
    name = chance.choice((claims.name, "王冒名"))
    return f"{head}#{b32(sign_credential(arsenal.foreign, replace(claims, name=name, issued_at=later)))}"


def changed_list(chance: random.Random, arsenal: Arsenal) -> bytes:
    """One status list token that we did not sign, in either form."""
    kind: Callable[[random.Random, Arsenal], bytes] = chance.choice((_list_bytes, _list_jwt, _list_cwt))
    while (token := kind(chance, arsenal)) in arsenal.lists:
        pass
    return token


def _list_bytes(chance: random.Random, arsenal: Arsenal) -> bytes:
    data = bytearray(chance.choice(arsenal.lists))
    for _n in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        what = chance.randrange(3)
        if what == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            data[at : at + chance.randint(1, 40)] = b""
        else:
            data[at:at] = chance.randbytes(chance.randint(1, 40))
    return bytes(data)


def _list_jwt(chance: random.Random, arsenal: Arsenal) -> bytes:
    parts = jws.split(arsenal.lists[0])
    header: dict[str, Any] = dict(parts.header)
    claims: dict[str, Any] = json.loads(json.dumps(parts.claims))
    signature = parts.signature
    what = chance.randrange(6)
    if what == 0:
        header["alg"] = chance.choice(("none", "HS256", "ES384", "RS256", "", None, 7))
    elif what == 1:
        header[chance.choice(("typ", "kid", "jwk", "x5u", "crit", "b64"))] = chance.choice(("x", None, [], {}, "JWT"))
    elif what == 2:
        claims[chance.choice(list(claims))] = chance.choice((0, -1, 2**63, "x", None, [], {}, 1e308, True))
    elif what == 3:
        listed = claims["status_list"]
        listed[chance.choice(("bits", "lst"))] = chance.choice((0, 1, 2, 3, 8, "", "eNo", "eNoDAAAAAAE", None, [1]))
    elif what == 4:
        signature = chance.choice((b"", signature[:-1], signature * 2, bytes(64)))
    else:
        signature = arsenal.foreign.signer(KeyPurpose.STATUS_LIST).sign(jws.signing_input(header, claims))
    return jws.signing_input(header, claims) + b"." + jws.b64url(signature).encode()


def _list_cwt(chance: random.Random, arsenal: Arsenal) -> bytes:
    message = decode_sign1(arsenal.lists[1])
    claims = cbor.decode(message.payload)
    protected: dict[Any, Any] = dict(message.protected)
    unprotected: dict[Any, Any] = {}
    what = chance.randrange(3)
    if what == 0:
        label = chance.choice(list(claims))
        claims[label] = _other(chance, claims[label])
    elif what == 1:
        protected[chance.choice(list(protected))] = chance.choice((-7, -8, b"\0" * 8, "x", None))
    else:
        unprotected[chance.choice((1, 4, 16))] = chance.choice((-7, b"12345678", "x"))
    return _sign1(cbor.encode(protected), unprotected, cbor.encode(claims), message.signature)


def _other(chance: random.Random, value: Any) -> Any:
    if isinstance(value, int):
        return chance.choice((value + 1, value - 1, -1, 0, 2**40))
    if isinstance(value, bytes):
        return chance.choice((value[:-1], value + b"\0", bytes(len(value)), b"", chance.randbytes(len(value))))
    if isinstance(value, str):
        return chance.choice((value + "x", value[1:], "", "\x00", value[::-1], "九" * 300))
    return chance.choice((None, [], {}, 0, "x"))


def _sign1(protected: bytes, unprotected: dict[Any, Any], payload: bytes, signature: bytes) -> bytes:
    return b"\xd2" + cbor.encode([protected, unprotected, payload, signature])
