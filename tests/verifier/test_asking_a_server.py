"""`ecert-verify --server`: the same verdicts from a real server, the payload of the QR code verified here."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.web_server import free_port, served
from tests.factories.world import World
from verifier import cli
from verifier.check.bundle import read_bundle
from verifier.client import Server, ServerError
from verifier.record.qr import qr_text
from verifier.record.verdict import Verdict


@pytest.fixture(scope="module")
def address(issued_world: World) -> Iterator[str]:
    """A verifier over the issued world on a free port."""
    base_url = f"http://127.0.0.1:{free_port()}"
    with served(issued_world.folder, base_url):
        yield base_url


def test_every_kind_of_target(
    address: str, issued_world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    certificate, other, *_ = issued_world.certificates()
    file, changed = tmp_path / "certificate.pdf", tmp_path / "changed.pdf"
    pdf = issued_world.pdf(certificate)
    file.write_bytes(pdf)
    changed.write_bytes(pdf[:5000] + bytes([pdf[5000] ^ 1]) + pdf[5001:])
    credential = issued_world.credential(certificate)
    name = issued_world.people[0].name
    asked = {
        "valid": [
            [str(file)],
            [qr_text(address, certificate.token, credential)],
            [f"{address}/v/{certificate.token}"],
            [certificate.token],
            [certificate.file_sha256 or ""],
            [certificate.management_no, "--name", name],
        ],
        "altered": [[str(changed)], [qr_text(address, other.token, credential)]],
        "untrusted": [[issued_world.qr_text(certificate)]],
        "not_found": [["A" * 26], [certificate.management_no, "--name", "某某某"]],
    }
    for verdict, targets in asked.items():
        for target in targets:
            code = cli.run([*target, "--server", address, "--json"])
            answer = json.loads(capfd.readouterr().out)
            assert (answer["verdict"], code) == (verdict, int(verdict != "valid")), target


def test_a_bundle_fetched_from_a_server(address: str, issued_world: World, tmp_path: Path) -> None:
    assert cli.run(["fetch", "--server", address, "--bundle", str(tmp_path)]) == 0
    bundle = read_bundle(tmp_path)
    assert bundle.origins == (address,)
    assert bundle.status_lists
    certificate = issued_world.certificates()[0]
    text = qr_text(address, certificate.token, issued_world.credential(certificate))
    # The world's lists were signed at the start of its day and hold for a day.
    assert cli.run([text, "--bundle", str(tmp_path)]) == 0


def test_a_server_that_is_none(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ServerError):
        Server(nobody).check_token("A" * 26)
    assert cli.run(["fetch", "--server", nobody, "--bundle", str(tmp_path)]) == 2
    assert len(capfd.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "bundle.json").exists()


def test_a_number_alone_is_not_sent(address: str, issued_world: World) -> None:
    with pytest.raises(ServerError, match="--name"):
        Server(address).check_number("202601010000018")
    assert Server(address).check_token(issued_world.certificates()[0].token).verdict is Verdict.VALID
