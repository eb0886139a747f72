"""The command line: plain output, JSON for programs, one clear line for every error, and never a traceback."""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from issuer.cli import run
from tests.factories.world import World


class Answer:
    """What one command line did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


@pytest.fixture
def ecert(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command line in this process."""

    def call(*arguments: str | Path) -> Answer:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        seen = capsys.readouterr()
        return Answer(code, seen.out, seen.err)

    return call


def test_init_twice_changes_nothing(ecert: Any, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    first = ecert("init", "--data-dir", folder, "--json")
    assert (first.code, first.json["created"]) == (0, True)
    before = {path: path.read_bytes() for path in (folder / "keys").rglob("*") if path.is_file()}
    second = ecert("init", "--data-dir", folder, "--json")
    assert (second.code, second.json["created"]) == (0, False)
    assert {path: path.read_bytes() for path in (folder / "keys").rglob("*") if path.is_file()} == before
    secret = [path for path in before if "public" not in path.parts]
    assert all(path.stat().st_mode & 0o077 == 0 for path in secret)
    assert folder.stat().st_mode & 0o077 == 0


def test_init_refuses_other_content_and_half_made_folders(ecert: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("keep me")
    answer = ecert("init", "--data-dir", tmp_path / "mine")
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    (tmp_path / "half" / "keys").mkdir(parents=True)
    answer = ecert("init", "--data-dir", tmp_path / "half", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "half-made")
    (tmp_path / "file").write_text("")
    assert ecert("init", "--data-dir", tmp_path / "file", "--json").json["error"]["code"] == "data-dir-is-a-file"


def test_a_lost_key_is_never_made_anew(ecert: Any, world_copy: World) -> None:
    world_copy.close()
    (world_copy.settings.keys_dir / "data.key").unlink()
    for command in (["init"], ["issue", "--sitting", world_copy.sitting], ["doctor"]):
        answer = ecert(*command, "--data-dir", world_copy.folder, "--json")
        assert (answer.code, answer.json["error"]["code"]) == (2, "key-missing")
    assert not (world_copy.settings.keys_dir / "data.key").exists()


@pytest.mark.parametrize("name", ["issuer.sqlite3", "register.sqlite3"])
def test_a_lost_database_is_never_made_anew(ecert: Any, world_copy: World, name: str) -> None:
    # An empty one would give used numbers out again, or say "no such certificate" of every good one.
    world_copy.close()
    (world_copy.folder / name).unlink()
    for command in (["init"], ["sitting", "list"], ["issue", "--sitting", world_copy.sitting], ["doctor"]):
        answer = ecert(*command, "--data-dir", world_copy.folder, "--json")
        assert (answer.code, answer.json["error"]["code"]) == (2, "database-missing")
    assert not (world_copy.folder / name).exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["issue", "--sitting", "X"],
        ["certificate", "show", "X"],
        ["doctor"],
        ["backup", "x.tar"],
        ["sitting", "list"],
        ["audit", "verify"],
    ],
)
def test_without_a_data_folder_each_command_says_what_to_do(
    ecert: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = ecert(*arguments)
    assert answer.code == 2
    assert "ecert init" in answer.err or "--data-dir" in answer.err
    assert len(answer.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["--nope"], ["issue"], ["nope"], ["certificate", "nope"], ["serve", "both"], ["serve", "--port", "99999999"]],
)
def test_a_wrong_command_is_one_line(ecert: Any, arguments: list[str]) -> None:
    answer = ecert(*arguments)
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert len(answer.err.splitlines()) == 1
    assert ecert(*arguments, "--json").json["error"]["code"] == "usage"


def test_issue_plan_apply_show_and_pdf(ecert: Any, eligible_world: World, tmp_path: Path) -> None:
    eligible_world.close()
    at = ["--data-dir", eligible_world.folder, "--json"]
    plan = ecert("issue", "--sitting", eligible_world.sitting, "--plan", *at).json
    assert (plan["new"], plan["refused"]) == (8, [])
    wrong = ecert("issue", "--sitting", eligible_world.sitting, "--apply", "0" * 16, *at)
    assert (wrong.code, wrong.json["error"]["code"]) == (2, "plan-moved")
    report = ecert("issue", "--sitting", eligible_world.sitting, "--apply", plan["digest"], "--workers", "1", *at)
    assert (report.code, report.json["published"]) == (0, 8)
    certificate = eligible_world.certificates()[0]
    shown = ecert("certificate", "show", certificate.management_no, *at).json
    assert (shown["status"], shown["token"]) == ("valid", certificate.token)
    written = ecert("certificate", "pdf", certificate.management_no, "--out", tmp_path / "a.pdf", *at)
    assert (tmp_path / "a.pdf").read_bytes() == eligible_world.pdf(certificate)
    assert written.json["sha256"] == certificate.file_sha256
    unknown = ecert("certificate", "show", "999", *at)
    assert (unknown.code, unknown.json["error"]["code"]) == (2, "certificate-not-found")


def test_a_file_that_was_changed_in_storage_is_not_handed_out(ecert: Any, world_copy: World, tmp_path: Path) -> None:
    certificate = world_copy.certificates()[0]
    path = world_copy.folder / "files" / (certificate.file_key or "")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    world_copy.close()
    command = ["certificate", "pdf", certificate.management_no, "--out", tmp_path / "a.pdf"]
    answer = ecert(*command, "--data-dir", world_copy.folder, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "file-damaged")
    assert not (tmp_path / "a.pdf").exists()


def test_an_unexpected_fault_leaves_a_reference_and_no_personal_data(ecert: Any, world_copy: World) -> None:
    number = world_copy.certificates()[0].management_no
    world_copy.close()
    with sqlite3.connect(world_copy.folder / "issuer.sqlite3") as connection:
        connection.execute("DROP TABLE status_events")
    connection.close()
    answer = ecert("certificate", "show", number, "--data-dir", world_copy.folder)
    assert answer.code == 70
    assert len(answer.err.splitlines()) == 1
    (log,) = (world_copy.folder / "logs").iterdir()
    assert log.name.removeprefix("error-").removesuffix(".log") in answer.err
    text = log.read_text()
    assert "queries.py" in text
    assert number not in text
    assert all(person.name not in text and person.id_no not in text for person in world_copy.people)


def test_a_damaged_database_is_named_and_left_alone(ecert: Any, world_copy: World) -> None:
    world_copy.close()
    path = world_copy.folder / "issuer.sqlite3"
    path.write_bytes(b"not a database" * 1000)
    answer = ecert("issue", "--sitting", world_copy.sitting, "--data-dir", world_copy.folder, "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "database-unreachable")
    assert path.read_bytes() == b"not a database" * 1000


def test_doctor_misses_certificate_files_that_are_gone_or_changed(ecert: Any, world_copy: World) -> None:
    at = ["--data-dir", world_copy.folder, "--json"]

    def files() -> dict[str, Any]:
        answer = ecert("doctor", *at)
        found = next(check for check in answer.json["checks"] if check["name"] == "certificate-files")
        assert answer.code == (0 if found["ok"] else 2)
        return dict(found)

    whole = files()
    count = len(world_copy.certificates())
    assert whole["ok"] is True and str(count) in whole["message"]
    place = world_copy.folder / "files" / str(world_copy.certificates()[0].file_key)
    place.write_bytes(place.read_bytes() + b"\n")
    assert files()["ok"] is False
    shutil.rmtree(world_copy.folder / "files")
    gone = files()
    assert gone["ok"] is False and gone["message"].count(str(count)) == 2 and "ecert restore" in gone["remedy"]
    again = ecert("issue", "--sitting", world_copy.sitting, *at)
    assert (again.code, again.json["published"]) == (0, 0), "who has a certificate gets no second one"


def test_fewer_than_no_workers_are_refused(ecert: Any, tmp_path: Path) -> None:
    answer = ecert("issue", "--sitting", "X", "--workers", "-3", "--data-dir", tmp_path / "none")
    assert answer.code == 2 and "--workers" in answer.err and not (tmp_path / "none").exists()


def test_doctor_finds_what_is_wrong(ecert: Any, world_copy: World) -> None:
    world_copy.close()
    at = ["doctor", "--data-dir", world_copy.folder, "--json"]
    assert ecert(*at).json["ok"] is True
    (world_copy.settings.keys_dir / "data.key").chmod(0o644)
    answer = ecert(*at)
    assert answer.code == 2
    (bad,) = [check for check in answer.json["checks"] if check["ok"] is False]
    assert bad["name"] == "key-files"
    assert "chmod 600" in bad["remedy"]


def test_backup_and_restore_give_back_everything(ecert: Any, world_copy: World, tmp_path: Path) -> None:
    certificate = world_copy.certificates()[0]
    world_copy.close()
    archive, target, words = tmp_path / "b.tar", tmp_path / "restored", tmp_path / "words"
    made = ecert("backup", archive, "--data-dir", world_copy.folder, "--json")
    words.write_text(made.json["passphrase"])
    secret = (world_copy.settings.keys_dir / "data.key").read_bytes()
    assert secret not in archive.read_bytes()
    assert (
        ecert("backup", archive, "--data-dir", world_copy.folder, "--json").json["error"]["code"] == "target-exists"
    )

    restored = ecert("restore", archive, "--passphrase-file", words, "--data-dir", target, "--json")
    assert (restored.code, restored.json["files"], restored.json["damaged"]) == (0, 8, [])
    verified = ecert("verify", certificate.management_no, "--data-dir", target, "--json")
    assert (verified.code, verified.json["verdict"]) == (0, "valid")
    again = ecert("restore", archive, "--passphrase-file", words, "--data-dir", target, "--json")
    assert again.json["error"]["code"] == "data-dir-not-empty"


def test_a_damaged_backup_or_a_wrong_passphrase_leaves_nothing(ecert: Any, world_copy: World, tmp_path: Path) -> None:
    world_copy.close()
    archive, words = tmp_path / "b.tar", tmp_path / "words"
    words.write_text(ecert("backup", archive, "--data-dir", world_copy.folder, "--json").json["passphrase"])
    whole = archive.read_bytes()
    (tmp_path / "wrong").write_text("wrong")
    cases = {
        "wrong-passphrase": (whole, tmp_path / "wrong"),
        "backup-damaged": (whole[:4096] + bytes([whole[4096] ^ 1]) + whole[4097:], words),
    }
    for code, (content, file) in cases.items():
        archive.write_bytes(content)
        answer = ecert("restore", archive, "--passphrase-file", file, "--data-dir", tmp_path / "t", "--json")
        assert (answer.code, answer.json["error"]["code"]) == (2, code)
        assert not (tmp_path / "t").exists()
    for content in (b"", whole[: len(whole) // 2], random.Random(7).randbytes(4096)):
        archive.write_bytes(content)
        answer = ecert("restore", archive, "--passphrase-file", words, "--data-dir", tmp_path / "t", "--json")
        assert answer.json["error"]["code"] == "backup-damaged"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".t")] == []


def test_help_and_verify_start_without_the_heavy_parts() -> None:
    program = (
        "import sys; from issuer.cli import run; run(['--help']);"
        "print([m for m in ('sqlalchemy', 'pyhanko', 'typst', 'fastapi', 'alembic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
