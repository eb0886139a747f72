"""The phone's reader of credentials and the server's accept exactly the same bytes, and read the same in them."""

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import cbor2
from playwright.sync_api import Page

from issuer.sealing.credential import sign_credential
from tests.factories.claims import TOKEN, sample_claims
from tests.factories.public_register import PublicRegister
from verifier.record.copy_claims import CopyClaims
from verifier.record.credential import CredentialClaims, CredentialMalformedError, read_credential

FIELDS = ("token", "management_no", "name", "programme_code", "programme_name", "level", "specialty", "list_id")
READ = """all => all.map(bytes => {
    try {
        const c = readCredential(Uint8Array.from(bytes));
        return [c.token, c.management_no, c.name, c.programme_code, c.programme_name, c.level, c.specialty,
                c.list_id, c.list_index, c.approved_on, c.issued, c.kid,
                c.copy && [c.copy.ends, c.copy.list_id, c.copy.list_index]];
    } catch (error) { return null; }
})"""


def mutations(genuine: bytes) -> Iterator[bytes]:
    """Bytes near a genuine credential: changed, put in, left out, cut, and swapped pieces (always the same ones)."""
    chance = random.Random(20250608)
    for at in range(len(genuine)):
        yield genuine[:at] + bytes((chance.randrange(256),)) + genuine[at + 1 :]
        yield genuine[:at] + genuine[at + 1 :]
        yield genuine[:at] + bytes((chance.randrange(256),)) + genuine[at:]
    for end in range(0, len(genuine), 7):
        yield genuine[:end]
    yield genuine + b"\x00"
    yield genuine[1:]
    yield b""


def spellings(genuine: bytes) -> Iterator[bytes]:
    """Credentials whose parts have another shape, order, size or spelling than they should."""
    header, unprotected, payload, signature = cbor2.loads(genuine[1:])
    claims = cbor2.loads(payload)
    certificate = claims[-65537]

    def message(*parts: Any) -> bytes:
        return b"\xd2" + cbor2.dumps(list(parts), canonical=True)

    def with_certificate(place: int, value: Any) -> bytes:
        changed = {**claims, -65537: [*certificate[:place], value, *certificate[place + 1 :]]}
        return message(header, unprotected, cbor2.dumps(changed, canonical=True), signature)

    yield genuine
    for value in (
        "",
        "x" * 40,
        "x" * 41,
        "𠮷" * 40,
        "𠮷" * 41,
        5,
        b"x",
        None,
        True,
        1.5,
        [],
        {},
        "\ufeff甲",
        "甲\u0000",
    ):
        for place in range(10):
            yield with_certificate(place, value)
    for number in (0, -1, 23, 24, 255, 256, 65_535, 65_536, 1 << 20, (1 << 20) - 1, 1 << 32, 1 << 53, 1 << 63):
        yield with_certificate(6, number)
        yield with_certificate(9, number)
        yield message(header, unprotected, cbor2.dumps({**claims, 6: number}, canonical=True), signature)
    for days in (2_932_896, 2_932_897, 20_247):
        yield with_certificate(6, days)
    for changed in (
        {**claims, 1: 1},
        {key: value for key, value in claims.items() if key != 6},
        {**claims, 7: claims[7][:15]},
        {**claims, 7: claims[7].hex()},
        {**claims, -65537: certificate[:9]},
        {**claims, -65537: [*certificate, 1]},
        {**claims, -65537: dict(enumerate(certificate))},
        {"6": 1, **claims},
        [],
        1,
    ):
        yield message(header, unprotected, cbor2.dumps(changed, canonical=True), signature)
    yield message(header, unprotected, bytes(reversed(payload)), signature)
    yield message(header, {4: b"x"}, payload, signature)
    yield message(header, [], payload, signature)
    yield message(header, unprotected, payload, signature, b"")
    yield message(b"", unprotected, payload, signature)
    yield message(cbor2.dumps({1: -7, 4: b"1234567"}), unprotected, payload, signature)
    yield message(cbor2.dumps({1: -8, 4: b"12345678"}), unprotected, payload, signature)
    yield message(cbor2.dumps({1: -7, 4: b"12345678", 5: 1}), unprotected, payload, signature)
    yield message(header, unprotected, payload, signature[:63])
    yield message(header, unprotected, payload, "text")
    yield b"\xd2" + cbor2.dumps([header, unprotected, payload, signature]).replace(b"\x84", b"\x98\x04", 1)
    yield b"\xd2\x9f" + b"".join(cbor2.dumps(part) for part in (header, unprotected, payload, signature)) + b"\xff"
    swapped = b"\xa3" + b"".join(cbor2.dumps(key) + cbor2.dumps(claims[key]) for key in (7, 6, -65537))
    yield message(header, unprotected, swapped, signature)
    doubled = b"\xa3" + b"".join(cbor2.dumps(key) + cbor2.dumps(claims[key]) for key in (6, 7, 7))
    yield message(header, unprotected, doubled, signature)
    yield message(
        header,
        unprotected,
        payload.replace(cbor2.dumps(claims[6]), b"\x1b" + claims[6].to_bytes(8, "big")),
        signature,
    )
    yield message(header, unprotected, b"\x81" * 50 + b"\x00", signature)
    yield message(header, unprotected, payload.replace("二".encode(), b"\xff\xfe\xfd"), signature)
    yield message(header, unprotected, payload.replace("二".encode(), b"\xed\xa0\x80"), signature)


def copy_spellings(genuine: bytes) -> Iterator[bytes]:
    """A copy's credential whose end or own entry has another shape or size than it should."""
    header, unprotected, payload, signature = cbor2.loads(genuine[1:])
    claims = cbor2.loads(payload)

    def with_claims(changed: Any) -> bytes:
        return b"\xd2" + cbor2.dumps(
            [header, unprotected, cbor2.dumps(changed, canonical=True), signature], canonical=True
        )

    yield genuine
    end = claims[4]
    for number in (0, -1, 57_600, end - 1, end + 86_400, 253_402_272_000, 253_402_300_799, 253_402_358_400, "1", b""):
        yield with_claims({**claims, 4: number})
    for place in ([], ["1"], ["", 0], ["x" * 33, 0], ["1", -1], ["1", 1 << 20], ["1", 5], ["1", "5"], [1, 5], {}, 7):
        yield with_claims({**claims, -65538: place})
    for left_out in (4, -65538):
        yield with_claims({key: value for key, value in claims.items() if key != left_out})
    yield with_claims({**claims, 5: 1})


def read_here(data: bytes) -> list[Any] | None:
    """What the server reads, in the form the page's script gives."""
    try:
        claims, kid = read_credential(data)
    except CredentialMalformedError:
        return None
    return [
        *_texts(claims),
        claims.list_index,
        claims.approved_on.isoformat(),
        int(claims.issued_at.timestamp()),
        kid,
        claims.copy and [claims.copy.ends_at, claims.copy.list_id, claims.copy.list_index],
    ]


def _texts(claims: CredentialClaims) -> list[str]:
    return [getattr(claims, field) for field in FIELDS]


def test_both_readers_accept_the_same_bytes(phone: Page, site: PublicRegister) -> None:
    phone.goto(site.base_url + "/v/" + TOKEN)
    genuine = sign_credential(site.bench, sample_claims())
    of_copy = sign_credential(site.bench, sample_claims(copy=CopyClaims(date(2025, 11, 30), "2", 77)))
    tried = [
        *spellings(genuine),
        *mutations(genuine),
        *mutations(sign_credential(site.bench, sample_claims(level=""))),
        *copy_spellings(of_copy),
        *mutations(of_copy),
    ]
    there = phone.evaluate(READ, [list(data) for data in tried])
    here = [read_here(data) for data in tried]
    differing = [
        (data.hex(), ours, theirs) for data, ours, theirs in zip(tried, here, there, strict=True) if ours != theirs
    ]
    assert differing == []
    assert sum(answer is not None for answer in here) > 100
    assert sum(answer is None for answer in here) > 500
