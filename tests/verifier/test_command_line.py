"""`ecert-verify`: one clear line for bad input, colour that never lies, exit codes for programs."""

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from issuer.access.actor import Actor
from issuer.invalidation import service
from issuer.rules.terms import InvalidationGround, Role
from tests.factories.world import World, lists_outlast_the_day
from verifier import cli
from verifier.check.words import say
from verifier.record.verdict import CheckResult, Verdict
from verifier.report import SENTENCES, colour_of, plain, print_result


def test_only_valid_is_green() -> None:
    assert set(SENTENCES) == set(Verdict)
    assert [verdict for verdict in Verdict if "green" in colour_of(verdict)] == [Verdict.VALID]


def test_doubt_is_not_drawn_in_green() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", soft_wrap=True)
    result = CheckResult(Verdict.STATUS_UNKNOWN, (say("register-unreachable"),), datetime.now(UTC))
    print_result(result, console)
    assert "\x1b[1;33m" in out.getvalue()
    assert "\x1b[32m" not in out.getvalue() and "\x1b[1;32m" not in out.getvalue()
    assert "→" in out.getvalue()


def test_a_name_cannot_steer_the_terminal() -> None:
    assert plain("王\x1b[31m\u202e小\n明") == "王�[31m�小�明"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["/no/such/file.pdf"], 2),
        (["."], 2),
        (["nothing.pdf"], 2),
        ([], 2),
        (["--no-such-option"], 2),
        (["A" * 100_000], 1),
        (["", "--json"], 1),
        (["A" * 26], 1),
        (["0" * 64], 1),
        (["202699990000000"], 1),
        (["202699990000000", "--name", "王" * 10_000], 1),
        (["http://127.0.0.1:8000/v/" + "A" * 26], 1),
        (["https://elsewhere.example/v/" + "A" * 26], 1),
        (["x", "--offline", "--server", "https://a.example"], 2),
        (["x.pdf", "--offline", "--bundle", "/no/such/folder"], 2),
        (["x", "--server", "ftp://a.example"], 2),
        (["A" * 26, "--server", "http://127.0.0.1:9"], 2),
        (["a\0b"], 1),
    ],
)
def test_bad_input(issued_world: World, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int) -> None:
    assert cli.run([*arguments, "--data-dir", str(issued_world.folder)]) == code
    written = capfd.readouterr()
    assert "Traceback" not in written.out + written.err
    if code == 2:
        assert len(written.err.strip().splitlines()) == 1


def test_bad_files(issued_world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    contents = {"empty": b"", "random": bytes(range(256)) * 9, "huge": b"%PDF-" + bytes(50_000_000), "text": b"hi\n"}
    for name, content in contents.items():
        file = tmp_path / f"{name}.pdf"
        file.write_bytes(content)
        assert cli.run([str(file), "--json", "--data-dir", str(issued_world.folder)]) == 1
        answer = json.loads(capfd.readouterr().out)
        assert answer["verdict"] == "malformed"
        assert answer["checks"][-1]["remedy"]


def test_a_folder_without_data(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["123", "--data-dir", str(tmp_path)]) == 2
    assert "--data-dir" in capfd.readouterr().err
    assert cli.run(["fetch", "--data-dir", str(tmp_path), "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == "could-not-check"


def test_the_program_has_an_entry_point(issued_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["ecert-verify", issued_world.certificates()[0].token, "--data-dir", str(issued_world.folder)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0


def test_offline_beside_the_record_needs_no_fetch_and_is_never_stale(world_copy: World, tmp_path: Path) -> None:
    certificate = world_copy.certificates()[0]
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(world_copy.pdf(certificate))
    where = ["--offline", "--data-dir", str(world_copy.folder)]
    assert cli.run([str(pdf), *where]) == 0
    proposer = Actor("a", frozenset({Role.AUTHORITY_ISSUER}), "cli")
    approver = Actor("b", frozenset({Role.AUTHORITY_APPROVER}), "cli")
    ground = InvalidationGround.INELIGIBLE_IN_SUPERVISION
    with lists_outlast_the_day():
        case = service.propose(world_copy.ctx, proposer, certificate.management_no, ground, "监管发现不符合报考条件")
        service.approve(world_copy.ctx, approver, case)
    assert cli.run([str(pdf), *where]) == 1
    assert cli.run([world_copy.qr_text(certificate), *where]) == 1
    assert cli.run([str(pdf), "--bundle", str(tmp_path / "none"), *where]) == 2
