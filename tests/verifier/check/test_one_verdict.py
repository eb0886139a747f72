"""One certificate in one state has one verdict, whichever way it is asked for."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from issuer.publication.outbox import announce_status
from tests.factories.world import World
from verifier import cli
from verifier.check.bundle import all_lists, read_bundle, write_bundle
from verifier.check.offline import OfflineChecker
from verifier.record.public_record import StatusChange
from verifier.record.register import SqlRegister
from verifier.record.status import CertificateStatus, ReasonClass
from verifier.record.verdict import CheckResult, Verdict

STATES = [
    (CertificateStatus.INVALID, ReasonClass.FOUND_INELIGIBLE, Verdict.INVALID),
    (CertificateStatus.VALID, ReasonClass.REINSTATED, Verdict.VALID),
    (CertificateStatus.SUSPENDED, ReasonClass.CASE_OPEN, Verdict.SUSPENDED),
    (CertificateStatus.INVALID, ReasonClass.MISCONDUCT, Verdict.INVALID),
    (CertificateStatus.VALID, ReasonClass.REINSTATED, Verdict.VALID),
    (CertificateStatus.SUPERSEDED, ReasonClass.CORRECTED, Verdict.SUPERSEDED),
]


def offline(world: World, folder: Path) -> OfflineChecker:
    """A bundle fetched this moment from the world's register, opened."""
    register = SqlRegister(world.settings.register_database)

    def token(list_id: str) -> bytes | None:
        stored = register.status_list(list_id)
        return stored.token_cwt if stored else None

    keys = (world.settings.keys_dir / "public" / "ecert-keys.json").read_bytes()
    origins = (world.settings.verify_base_url,)
    write_bundle(folder, keys, all_lists(token), origins, world.clock.now())
    register.close()
    return OfflineChecker(read_bundle(folder), world.clock.now)


def answers(world: World, folder: Path) -> dict[str, CheckResult]:
    """Every way to ask for the world's first certificate."""
    certificate = world.certificates()[0]
    pdf, qr, person = world.pdf(certificate), world.qr_text(certificate), world.people[0].name
    checker, alone = world.checker(), offline(world, folder)
    ways: dict[str, Callable[[], CheckResult]] = {
        "token": lambda: checker.check_token(certificate.token),
        "token in lower case": lambda: checker.check_token(certificate.token.lower()),
        "address": lambda: checker.check_qr(qr.split("#")[0].lower()),
        "qr": lambda: checker.check_qr(qr),
        "pdf": lambda: checker.check_pdf(pdf),
        "digest": lambda: checker.check_file_digest(hashlib.sha256(pdf).hexdigest()),
        "number": lambda: checker.check_number(certificate.management_no),
        "number and name": lambda: checker.check_number(f" {certificate.management_no}", person),
        "qr offline": lambda: alone.check_qr(qr),
        "pdf offline": lambda: alone.check_pdf(pdf),
    }
    return {way: ask() for way, ask in ways.items()}


def change(
    world: World, sequence: int, status: CertificateStatus, reason: ReasonClass, successor: str | None
) -> None:
    """Publish a new status of the first certificate."""
    now = world.clock.now()
    token = world.certificates()[0].token
    with world.ctx.database.write() as session:
        announce_status(session, StatusChange(token, sequence, status, reason, now.date(), now), successor)
    world.ctx.publish()


def test_every_way_gives_the_same_verdict_in_every_state(world_copy: World, tmp_path: Path) -> None:
    first = answers(world_copy, tmp_path)
    assert {way: result.verdict for way, result in first.items()} == dict.fromkeys(first, Verdict.VALID)
    successor = world_copy.certificates()[1].token
    for sequence, (status, reason, verdict) in enumerate(STATES, 1):
        given = successor if status is CertificateStatus.SUPERSEDED else None
        change(world_copy, sequence, status, reason, given)
        found = answers(world_copy, tmp_path)
        assert {way: result.verdict for way, result in found.items()} == dict.fromkeys(found, verdict)
        for way, result in found.items():
            assert result.certificate is not None, way
            assert result.certificate.status == status.value, way
            failing = [check for check in result.checks if check.ok is not True]
            assert all(check.message and check.message_en and check.remedy for check in failing), way
            if given and "offline" not in way:
                assert result.certificate.superseded_by == given
                assert any(given in check.message for check in failing)


def test_an_unreachable_register_is_never_valid(world_copy: World, tmp_path: Path) -> None:
    checker, certificate = world_copy.checker(), world_copy.certificates()[0]
    pdf, qr = world_copy.pdf(certificate), world_copy.qr_text(certificate)
    (world_copy.folder / "register.sqlite3").rename(tmp_path / "away")
    for result in (
        checker.check_token(certificate.token),
        checker.check_qr(qr),
        checker.check_pdf(pdf),
        checker.check_file_digest(hashlib.sha256(pdf).hexdigest()),
        checker.check_number(certificate.management_no),
    ):
        assert result.verdict is Verdict.STATUS_UNKNOWN
        assert result.checks[-1].ok is None
        assert result.verdict.exit_code == 2
    # A changed file is refused all the same.
    assert checker.check_pdf(pdf[:-1] + b"x").verdict is Verdict.ALTERED


def test_a_sealed_file_that_was_never_published_is_not_found(eligible_world: World, issued_world: World) -> None:
    """The register of a world in which nothing was issued, asked about a file sealed with the same keys."""
    certificate = issued_world.certificates()[0]
    pdf, qr = issued_world.pdf(certificate), issued_world.qr_text(certificate)
    checker = eligible_world.checker()
    assert checker.check_pdf(pdf).verdict is Verdict.NOT_FOUND
    assert checker.check_qr(qr).verdict is Verdict.NOT_FOUND
    assert checker.check_token(certificate.token).verdict is Verdict.NOT_FOUND
    assert checker.check_number(certificate.management_no).verdict is Verdict.NOT_FOUND


def test_a_renewed_archive_timestamp_counts_once_it_is_registered(world_copy: World) -> None:
    from issuer.publication.outbox import announce_file

    certificate = world_copy.certificates()[0]
    renewed = world_copy.ctx.room().extend(world_copy.pdf(certificate))
    before = world_copy.checker().check_pdf(renewed)
    assert (before.verdict, before.checks[-1].code) == (Verdict.ALTERED, "file-not-registered")
    digest = hashlib.sha256(renewed).hexdigest()
    with world_copy.ctx.database.write() as session:
        announce_file(session, digest, certificate.token, "extended", at=world_copy.clock.now())
    world_copy.ctx.publish()
    assert world_copy.checker().check_pdf(renewed).verdict is Verdict.VALID
    assert world_copy.checker().check_file_digest(digest).verdict is Verdict.VALID


def test_the_command_line_agrees(world_copy: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    certificate = world_copy.certificates()[0]
    file = tmp_path / "certificate.pdf"
    file.write_bytes(world_copy.pdf(certificate))
    targets = [str(file), world_copy.qr_text(certificate), certificate.token, certificate.management_no]
    folder = str(world_copy.folder)
    world_copy.close()
    for target in targets:
        assert cli.run([target, "--data-dir", folder]) == 0
        assert "证书有效" in capfd.readouterr().out
    assert cli.run(["fetch", "--data-dir", folder]) == 0
    for target in targets[:2]:
        assert cli.run([target, "--offline", "--data-dir", folder]) == 0
    change(world_copy, 1, CertificateStatus.INVALID, ReasonClass.MISCONDUCT, None)
    world_copy.close()
    capfd.readouterr()
    for target in targets:
        assert cli.run([target, "--data-dir", folder, "--json"]) == 1
        assert '"verdict": "invalid"' in capfd.readouterr().out
