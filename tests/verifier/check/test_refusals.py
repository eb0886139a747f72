"""What is handed in wrongly or dishonestly, way by way."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from keys.public.purposes import KeyPurpose
from tests.factories.world import World
from tests.vectors.attacks import Target
from verifier.check.bundle import BundleError, read_bundle
from verifier.check.checker import host_of
from verifier.check.document import inspect_document
from verifier.check.offline import OfflineChecker
from verifier.check.remedies import REMEDIES
from verifier.check.words import PHRASES, say
from verifier.record.qr import b32, new_token, qr_text, unb32
from verifier.record.verdict import CheckResult, Verdict

BASE = "http://127.0.0.1:8000"


def last(result: CheckResult) -> tuple[Verdict, str]:
    """Verdict and the code that decided it."""
    return result.verdict, result.checks[-1].code


def test_every_trouble_has_a_next_step() -> None:
    for code, phrase in PHRASES.items():
        assert (phrase.ok is True) == (phrase.remedy == ""), code
        assert phrase.remedy == "" or all(REMEDIES[phrase.remedy]), code
        assert phrase.zh and phrase.en
    assert {phrase.remedy for phrase in PHRASES.values()} - {""} == set(REMEDIES)
    with pytest.raises(KeyError):
        say("no-such-code")


@pytest.mark.parametrize(
    "host", ["verify.example", "127.0.0.1:8001", "127.0.0.1.evil.example:8000", "127.0.0.1", "xn--127-0.example"]
)
def test_a_look_alike_host_is_untrusted_and_said_so_loudly(issued_world: World, host: str) -> None:
    text = issued_world.qr_text(issued_world.certificates()[0])
    forged = text.replace("HTTP://127.0.0.1:8000", f"HTTPS://{host.upper()}")
    result = issued_world.checker().check_qr(forged)
    assert last(result) == (Verdict.UNTRUSTED, "foreign-host")
    assert host_of(f"https://{host}") in result.checks[-1].message
    assert "警告" in result.checks[-1].message
    assert "127.0.0.1:8000" in result.checks[-1].message_en


def test_host_of_leaves_out_the_schemes_own_port() -> None:
    assert host_of("https://verify.example:443") == host_of("HTTPS://Verify.Example.") == "verify.example"
    assert host_of("http://verify.example:443") == "verify.example:443"


@pytest.mark.parametrize(
    "text", ["", "hello", "http://127.0.0.1:8000/v/short", "x" * 100_000, "HTTP://A/V/" + "A" * 26 + "#1"]
)
def test_no_qr_code_of_ours(issued_world: World, text: str) -> None:
    assert last(issued_world.checker().check_qr(text)) == (Verdict.MALFORMED, "qr-grammar")


def test_a_changed_payload_is_never_valid(issued_world: World) -> None:
    """Every byte of the credential, one bit each."""
    certificate = issued_world.certificates()[0]
    credential, checker = issued_world.credential(certificate), issued_world.checker()
    verdicts = set()
    for at in range(len(credential)):
        changed = bytearray(credential)
        changed[at] ^= 1 << at % 8
        verdicts.add(checker.check_qr(qr_text(BASE, certificate.token, bytes(changed))).verdict)
    assert verdicts <= {Verdict.ALTERED, Verdict.MALFORMED, Verdict.UNTRUSTED}
    assert Verdict.ALTERED in verdicts


def test_a_payload_of_another_certificate(issued_world: World) -> None:
    first, second, *_ = issued_world.certificates()
    checker = issued_world.checker()
    spliced = qr_text(BASE, first.token, issued_world.credential(second))
    assert last(checker.check_qr(spliced)) == (Verdict.ALTERED, "credential-other-certificate")
    unknown = qr_text(BASE, new_token(), issued_world.credential(second))
    assert checker.check_qr(unknown).verdict is Verdict.ALTERED


def test_a_second_credential_for_the_same_certificate(issued_world: World) -> None:
    """Signed by our key with the same claims, and not the one that was registered."""
    from issuer.sealing.credential import sign_credential
    from verifier.record.cose import decode_sign1
    from verifier.record.credential import decode_claims

    certificate = issued_world.certificates()[0]
    claims = decode_claims(decode_sign1(issued_world.credential(certificate)).payload)
    again = sign_credential(issued_world.ctx.room(), claims)
    result = issued_world.checker().check_qr(qr_text(BASE, certificate.token, again))
    assert last(result) == (Verdict.ALTERED, "credential-not-registered")


def test_a_payload_by_another_authority(issued_world: World, target: Target) -> None:
    from issuer.sealing.credential import sign_credential
    from verifier.record.cose import decode_sign1
    from verifier.record.credential import decode_claims

    certificate = issued_world.certificates()[0]
    claims = decode_claims(decode_sign1(issued_world.credential(certificate)).payload)
    forged = sign_credential(target.foreign, claims)
    result = issued_world.checker().check_qr(qr_text(BASE, certificate.token, forged))
    assert last(result) == (Verdict.UNTRUSTED, "credential-untrusted")
    assert KeyPurpose.QR_CREDENTIAL.value not in result.checks[-1].message


def test_an_unknown_number_and_a_wrong_name_are_answered_alike(issued_world: World) -> None:
    checker, certificate = issued_world.checker(), issued_world.certificates()[0]
    wrong_name = checker.check_number(certificate.management_no, "某某某")
    unknown = checker.check_number("999999999999999", issued_world.people[0].name)
    assert wrong_name.to_json() | {"as_of": ""} == unknown.to_json() | {"as_of": ""}
    assert wrong_name.verdict is Verdict.NOT_FOUND


@pytest.mark.parametrize(("number", "name"), [("", None), ("1" * 65, None), ("1", ""), ("1", "王" * 10_000)])
def test_numbers_that_are_none(issued_world: World, number: str, name: str | None) -> None:
    assert last(issued_world.checker().check_number(number, name)) == (Verdict.MALFORMED, "number-shape")


def test_tokens_and_digests_that_are_none(issued_world: World) -> None:
    checker = issued_world.checker()
    assert last(checker.check_token("A" * 25)) == (Verdict.MALFORMED, "token-shape")
    assert last(checker.check_token(new_token())) == (Verdict.NOT_FOUND, "not-registered")
    assert last(checker.check_file_digest("xyz")) == (Verdict.MALFORMED, "digest-shape")
    assert last(checker.check_file_digest(hashlib.sha256(b"").hexdigest())) == (Verdict.NOT_FOUND, "file-unknown")


@pytest.mark.parametrize(
    ("pdf", "code"),
    [
        (b"", "input-empty"),
        (b"\0" * 10_000_001, "input-too-large"),
        (bytes(range(256)) * 40, "input-not-pdf"),
        (b"%PDF-1.7\n" + b"[" * 100_000, "structure-broken"),
        (b"%PDF-1.7\nstartxref\n0\n%%EOF\n", "structure-broken"),
    ],
)
def test_files_that_are_none(issued_world: World, pdf: bytes, code: str) -> None:
    assert last(issued_world.checker().check_pdf(pdf)) == (Verdict.MALFORMED, code)


def test_an_old_status_list_gives_no_status(world_copy: World, tmp_path: Path) -> None:
    from tests.verifier.check.test_one_verdict import offline

    certificate = world_copy.certificates()[0]
    checker = offline(world_copy, tmp_path)
    qr, pdf = world_copy.qr_text(certificate), world_copy.pdf(certificate)
    fresh = checker.check_qr(qr)
    assert fresh.verdict is Verdict.VALID
    assert fresh.as_of <= world_copy.clock.now()
    assert "status-list-current" in [check.code for check in fresh.checks]
    late = OfflineChecker(read_bundle(tmp_path), lambda: world_copy.clock.now() + timedelta(days=400))
    for result in (late.check_qr(qr), late.check_pdf(pdf)):
        assert last(result) == (Verdict.STATUS_UNKNOWN, "status-list-expired")
        assert result.certificate is not None
        assert result.certificate.status == "unknown"


def test_a_bundle_with_a_forged_or_missing_list(world_copy: World, tmp_path: Path) -> None:
    from tests.verifier.check.test_one_verdict import offline

    certificate = world_copy.certificates()[0]
    qr = world_copy.qr_text(certificate)
    offline(world_copy, tmp_path)
    stored = next((tmp_path / "status-lists").glob("*.cwt"))
    genuine = stored.read_bytes()
    stored.write_bytes(genuine[:-1] + bytes([genuine[-1] ^ 1]))
    forged = OfflineChecker(read_bundle(tmp_path), world_copy.clock.now).check_qr(qr)
    assert last(forged) == (Verdict.STATUS_UNKNOWN, "status-list-untrusted")
    stored.unlink()
    missing = OfflineChecker(read_bundle(tmp_path), world_copy.clock.now).check_qr(qr)
    assert last(missing) == (Verdict.STATUS_UNKNOWN, "status-list-missing")
    address = OfflineChecker(read_bundle(tmp_path), world_copy.clock.now).check_qr(qr.split("#")[0])
    assert last(address) == (Verdict.STATUS_UNKNOWN, "offline-needs-payload")
    (tmp_path / "bundle.json").unlink()
    with pytest.raises(BundleError):
        read_bundle(tmp_path)


def test_base32_of_payloads_has_one_spelling() -> None:
    assert unb32(b32(b"payload").lower()) == b"payload"


@pytest.mark.parametrize(
    "raised", [OSError, AssertionError, RecursionError, MemoryError, KeyError, UnicodeDecodeError]
)
def test_whatever_a_parser_raises_becomes_malformed(
    issued_world: World, target: Target, monkeypatch: pytest.MonkeyPatch, raised: type[Exception]
) -> None:
    error = raised("utf-8", b"", 0, 1, "x") if raised is UnicodeDecodeError else raised("from deep inside")

    def breaks(*_: object) -> None:
        raise error

    monkeypatch.setattr("verifier.check.document.read_form", breaks)
    found = inspect_document(target.sealed, issued_world.key_set, now=issued_world.clock.now())
    assert (found.failure, found.checks[-1].code) == (Verdict.MALFORMED, "structure-broken")
    monkeypatch.setattr("verifier.check.stranger.read_stranger", breaks)
    stranger = inspect_document(target.page, issued_world.key_set, now=issued_world.clock.now())
    assert (stranger.failure, stranger.checks[-1].code) == (Verdict.MALFORMED, "structure-broken")
