"""Whatever is handed to a command: one clear line and a non-zero exit, and every row stays as it was."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from issuer.cli import run
from tests.factories.bad_input_target import LONG, SITTING, Target
from tests.factories.command_line import Said


@dataclass(frozen=True)
class Here:
    """`ecert` in this process: the same entry point without a start-up each time."""

    target: Target
    capfd: pytest.CaptureFixture[str]

    def __call__(self, *words: object) -> Said:
        """One command on the target's folder."""
        self.capfd.readouterr()
        code = run([*map(str, words), "--data-dir", str(self.target.ecert.folder)])
        captured = self.capfd.readouterr()
        return Said(code, captured.out, captured.err)


@pytest.fixture
def here(target: Target, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.delenv("ECERT_DATA_DIR", raising=False)
    return Here(target, capfd)


def test_verify_gives_no_bad_file_a_good_word(here: Here, target: Target, pdfs: dict[str, Path]) -> None:
    for name, path in pdfs.items():
        said = here("verify", path, "--json")
        assert (said.code, said.json["verdict"]) in {(1, "malformed"), (1, "altered"), (1, "untrusted")}, (name, said)
        assert said.err == "", (name, said.err)
        assert all(check["remedy"] for check in said.json["checks"] if check["ok"] is False), name
    target.assert_as_before()


def test_verify_says_in_its_first_line_what_it_is(target: Target, pdfs: dict[str, Path], tmp_path: Path) -> None:
    """As a person sees it, from a process of its own."""
    for name in ("empty", "50 MB", "random"):
        said = target.ecert.run("verify", pdfs[name])
        assert said.code == 1 and said.err == "", name
        assert "无法识别" in said.out.splitlines()[0], name
        assert "Traceback" not in said.out, name
    for words in ((tmp_path / "missing.pdf",), (tmp_path,), ("",), ()):
        said = target.ecert.run("verify", *words)
        assert said.code >= 1 and "Traceback" not in said.out + said.err, words
        assert max(said.out.count("\n"), said.err.count("\n")) <= 8, said


def test_verify_takes_any_text_calmly(here: Here, target: Target) -> None:
    address, payload = target.line["qr_text"].split("#")
    for text in (
        LONG,
        "A" * 26,
        "%00%0a",
        "--",
        f"{address}#{payload[:-8]}",
        f"{address}#{'A' * 3000}",
        f"{address}#{payload}{payload}",
        "HTTP://127.0.0.1:99999/V/X",
        "https://example.org/v/" + "A" * 26,
        "f" * 64,
        "\x1b[31m红\x1b[0m",
        "../../etc/passwd",
    ):
        said = here("verify", text)
        assert said.code in (1, 2), (text[:40], said)
        assert "Traceback" not in said.out + said.err and "\x1b" not in said.out + said.err, (text[:40], said)
    said = here("verify", target.line["management_no"], "--name", LONG, "--json")
    assert (said.code, said.json["verdict"]) == (1, "malformed")
    target.assert_as_before()


def test_roster_import_refuses_in_one_line(here: Here, target: Target, workbooks: dict[str, Path]) -> None:
    for name, path in workbooks.items():
        said = here("roster", "import", path, "--sitting", SITTING)
        assert said.code >= 2, (name, said)
        said.assert_refused_in_one_line()
    good = target.ecert.folder / "exam-centre" / "roster.xlsx"
    here("roster", "import", good, "--sitting", "NO-SUCH").assert_refused_in_one_line()
    here("roster", "import", good, "--sitting", SITTING, "--photos", workbooks["random"]).assert_refused_in_one_line()
    here("roster", "import", good, "--sitting", SITTING, "--as", "nobody").assert_refused_in_one_line()
    target.assert_as_before()


def test_review_decide_refuses_in_one_line(here: Here, target: Target, workbooks: dict[str, Path]) -> None:
    for name, path in workbooks.items():
        said = here("review", "decide", path, "--sitting", SITTING, "--round", "first")
        assert said.code >= 2, (name, said)
        said.assert_refused_in_one_line()
    target.assert_as_before()


def test_other_commands_refuse_in_one_line(here: Here, target: Target, tmp_path: Path) -> None:
    number = target.line["management_no"]
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"code = [\xff")
    for words in (
        ("sitting", "define", broken),
        ("sitting", "define", tmp_path),
        ("sitting", "show", LONG),
        ("issue", "--sitting", LONG),
        ("revoke", LONG, "--ground", "R9", "--basis", "x"),
        ("revoke", number, "--ground", LONG, "--basis", "x"),
        ("certificate", "show", LONG),
        ("certificate", "pdf", number, "--out", tmp_path / "no" / "such" / "folder.pdf"),
        ("certificate", "correct", number, "--name", LONG, "--basis", "示例"),
        ("certificate", "correct", number, "--name", "王\u202e明", "--basis", "示例"),
        ("paper", "replace", "--management-no", LONG, "--reason", "x"),
        ("restore", broken),
        ("demo", "--people", "0", "--no-serve"),
        ("no-such-command",),
        ("audit", "verify", "--head", LONG),
    ):
        said = here(*words)
        assert said.code >= 2, (words[:2], said)
        said.assert_refused_in_one_line()
    target.assert_as_before()


def test_a_folder_that_is_none_is_said_so_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (tmp_path, tmp_path / "missing", file):
        for words in (
            ("doctor",),
            ("issue", "--sitting", "X"),
            ("serve", "--port", "0"),
            ("roster", "import", file, "--sitting", "X"),
        ):
            code = run([*map(str, words), "--data-dir", str(folder)])
            captured = capfd.readouterr()
            Said(code, captured.out, captured.err).assert_refused_in_one_line()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"], "nothing was made"
