"""No attack on a sealed certificate is ever valid, by the register or without it."""

import re

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from keys.public.ecdsa import ORDERS
from tests.factories.world import World
from tests.vectors import families
from tests.vectors.attacks import Make, Target, all_attacks
from verifier.check.document import inspect_document
from verifier.record.verdict import Verdict

ATTACKS = list(all_attacks())


def test_there_are_many_attacks() -> None:
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize(("make", "verdicts"), [pytest.param(*rest, id=name) for name, *rest in ATTACKS])
def test_attack(make: Make, verdicts: frozenset[str], target: Target, issued_world: World) -> None:
    attacked = make(target)
    assert attacked != target.sealed
    now = issued_world.clock.now()
    found = inspect_document(attacked, issued_world.key_set, now=now)
    assert found.failure is not None, "an attacked file passed every step"
    assert found.failure.value in verdicts, found.checks[-1]
    assert found.checks[-1].ok is False
    assert found.checks[-1].remedy
    answer = issued_world.checker().check_pdf(attacked)
    assert answer.verdict.value in verdicts
    assert answer.certificate is None, "nothing of a refused file may be shown as certified"


@pytest.fixture(scope="module")
def positions(target: Target) -> list[int]:
    """Positions all over the file, densest where signatures and structure stand."""
    ends = target.ends
    seal, archive = target.gap(), target.gap(1)
    return [
        *range(0, ends[0], max(1, ends[0] // 700)),
        *range(ends[0], seal[0], 7),
        *range(seal[0] - 20, seal[0] + 4200, 9),
        *range(seal[1] - 40, ends[1], 3),
        *range(ends[1], archive[0], 17),
        *range(archive[0], archive[0] + 2600, 9),
        *range(archive[1] - 30, len(target.sealed), 2),
    ]


def test_no_changed_byte_is_valid(positions: list[int], target: Target, issued_world: World) -> None:
    """About three thousand single changed bytes; each is altered, by the file alone."""
    keys, now = issued_world.key_set, issued_world.clock.now()
    wrong = []
    for at in positions:
        changed = bytearray(target.sealed)
        changed[at] ^= 1 << at % 8
        found = inspect_document(bytes(changed), keys, now=now)
        if found.failure is not Verdict.ALTERED:
            wrong.append((at, found.failure, found.checks[-1].code))
    assert len(positions) > 2500
    assert not wrong


def test_a_version_there_is_not_in_the_store_is_altered(target: Target, issued_world: World) -> None:
    """The version's byte of each certificate and CRL in the store: parsers refuse it in a way of its own."""
    keys, now = issued_world.key_set, issued_world.clock.now()
    store = range(target.ends[1], target.gap(1)[0])
    # RFC 5280: [0] EXPLICIT INTEGER 2 in a certificate; INTEGER 1 before the algorithm's SEQUENCE in a CRL.
    version = re.compile(rb"stream\n0\x82..0(?:\x82..|\x81.)(?:\xa0\x03)?\x02\x01([\x01\x02])", re.DOTALL)
    places = [found.start(1) for found in version.finditer(target.sealed, store.start, store.stop)]
    assert len(places) >= 3
    for at in places:
        for bit in range(8):
            changed = bytearray(target.sealed)
            changed[at] ^= 1 << bit
            assert inspect_document(bytes(changed), keys, now=now).failure is Verdict.ALTERED, (at, bit)


@pytest.mark.parametrize("which", ["the seal", "the outermost timestamp"])
def test_the_other_half_of_a_signature_is_refused(target: Target, issued_world: World, which: str) -> None:
    """(r, n - s) signs what (r, s) signs, and anyone can write it: the file alone shows that it is not ours."""
    sealed = target.room.seal_pdf(target.page, level="B-B") if which == "the seal" else target.sealed
    gap = list(re.finditer(rb"/Contents <([0-9A-F]+)>", sealed))[-1]
    der = bytes.fromhex(gap[1].decode())
    message = cms.ContentInfo.load(der[: 4 + int.from_bytes(der[2:4], "big")])
    signer = message["content"]["signer_infos"][0]
    r, s = decode_dss_signature(signer["signature"].native)
    signer["signature"] = encode_dss_signature(r, ORDERS["secp256r1"] - s)
    changed = message.dump().ljust(len(der), b"\0").hex().upper().encode()
    attacked = sealed[: gap.start(1)] + changed[: len(gap[1])] + sealed[gap.end(1) :]
    keys, now = issued_world.key_set, issued_world.clock.now()
    assert attacked != sealed
    assert inspect_document(sealed, keys, now=now, known_since=now).ok
    assert inspect_document(attacked, keys, now=now, known_since=now).failure is Verdict.ALTERED


def test_no_byte_of_a_bare_signature_is_spare(target: Target, issued_world: World) -> None:
    """A seal without an archive timestamp over it: still nothing in its CMS may be written otherwise."""
    sealed = target.room.seal_pdf(target.page, level="B-T")
    keys, now = issued_world.key_set, issued_world.clock.now()
    assert inspect_document(sealed, keys, now=now).level == "B-T"
    found = re.search(rb"/Contents <([0-9A-Fa-f]+)>", sealed)
    assert found
    der = bytes.fromhex(found[1].decode())
    size = 4 + int.from_bytes(der[2:4], "big")
    for at in range(size):
        changed = bytearray(der)
        changed[at] ^= 1 << at % 8
        attacked = sealed[: found.start(1)] + bytes(changed).hex().upper().encode() + sealed[found.end(1) :]
        assert not inspect_document(attacked, keys, now=now).ok, at


def test_the_documented_table_is_the_attack_set() -> None:
    """Renew it with `python -m tests.vectors.families`."""
    assert families.PAGE.read_text(encoding="utf-8") == families.written()
