"""Issuing a sitting: everybody who may, once, and nobody else."""

from tests.factories.world import World
from verifier.record.verdict import Verdict


def test_every_published_certificate_is_valid_on_every_path(issued_world: World) -> None:
    checker = issued_world.checker()
    for certificate in issued_world.certificates():
        results = [
            checker.check_token(certificate.token),
            checker.check_qr(issued_world.qr_text(certificate)),
            checker.check_pdf(issued_world.pdf(certificate)),
            checker.check_number(certificate.management_no, certificate.name),
        ]
        assert {result.verdict for result in results} == {Verdict.VALID}


def test_issuing_again_changes_nothing(world_copy: World) -> None:
    before = [(row.management_no, row.token, row.file_sha256) for row in world_copy.certificates()]
    report = world_copy.issue()
    assert (report.published, report.already) == (0, len(before))
    assert [(row.management_no, row.token, row.file_sha256) for row in world_copy.certificates()] == before
