"""Whatever is handed in: one clear line and a non-zero exit, or a 4xx problem, and every row stays as it was."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from issuer.cli import run
from tests.factories.bad_files import FOREIGN_PDFS, bad_pdfs, bad_workbooks
from tests.factories.command_line import CommandLine, Said
from tests.factories.stored_rows import digest_of_rows

pytestmark = pytest.mark.xdist_group("bad-inputs")

SITTING = "EJJZ-DEMO-1"
PDF = {"Content-Type": "application/pdf", "Accept": "application/json"}
PROBLEM = "application/problem+json"
LONG = "王" * 3400
"""A name of 10 kB."""


@dataclass(frozen=True)
class Target:
    """A demo's folder, its server on one port, and a staff token; what it held before anything bad came."""

    ecert: CommandLine
    web: httpx.Client
    token: str
    line: dict[str, Any]
    before: dict[str, str]

    @property
    def bearer(self) -> dict[str, str]:
        """A signed-in program's header."""
        return {"Authorization": f"Bearer {self.token}"}

    def assert_as_before(self) -> None:
        """Every row of both databases is what it was."""
        now = digest_of_rows(self.ecert.folder)
        assert [table for table in now if now[table] != self.before.get(table)] == []


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    ecert = CommandLine(tmp_path_factory.mktemp("bad") / "data")
    summary = ecert.ask("demo", "--no-serve", "--people", 3, "--data-dir", ecert.folder)
    token = ecert.ask("staff", "token", "demo-proposer", "--label", "test")["token"]
    with ecert.serving() as base_url, httpx.Client(base_url=base_url, timeout=60) as web:
        web.get("/healthz").raise_for_status()
        yield Target(ecert, web, token, summary["certificates"][0], digest_of_rows(ecert.folder))


@pytest.fixture(scope="module")
def pdfs(target: Target, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Everything that is not one of our certificates."""
    genuine = Path(target.line["pdf"]).read_bytes()
    made = dict(bad_pdfs(tmp_path_factory.mktemp("pdfs"), genuine))
    return made | {f"foreign {path.stem}": path for path in FOREIGN_PDFS}


@pytest.fixture(scope="module")
def workbooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return dict(bad_workbooks(tmp_path_factory.mktemp("workbooks")))


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


def assert_problem(name: str, answer: httpx.Response, *statuses: int) -> None:
    """A 4xx problem document that says what and what next, and repeats nothing of what was sent."""
    assert answer.status_code in (statuses or range(400, 500)), (name, answer.status_code, answer.text[:300])
    assert answer.headers["content-type"].split(";")[0] == PROBLEM, (name, answer.headers)
    body = answer.json()
    assert body["status"] == answer.status_code and body["title"] and body["type"], name
    assert body["detail"] and len(answer.content) < 20_000 and LONG[:50] not in answer.text, name


def test_http_check_refuses_or_tells_what_it_is(target: Target, pdfs: dict[str, Path]) -> None:
    # One address may hand in thirty files a minute: the foreign ones come from another.
    elsewhere = httpx.Client(
        base_url=target.ecert.base_url, timeout=60, transport=httpx.HTTPTransport(local_address="127.0.0.2")
    )
    for name, path in pdfs.items():
        web = elsewhere if name.startswith("foreign") else target.web
        answer = web.post("/api/v1/check", content=path.read_bytes(), headers=PDF)
        if answer.status_code == 200:
            assert answer.json()["verdict"] in ("altered", "untrusted"), name
        else:
            assert_problem(name, answer, 400, 413, 422)
    elsewhere.close()
    for name, sent in {
        "no body": target.web.post("/api/v1/check", headers=PDF),
        "wrong type": target.web.post("/api/v1/check", content=b"x", headers={"Content-Type": "text/plain"}),
        "form without a file": target.web.post("/api/v1/check", data={"a": "b"}),
        "form that breaks off": target.web.post(
            "/api/v1/check", content=b"--x\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"}
        ),
    }.items():
        assert_problem(name, sent, 400, 415)
    target.assert_as_before()


def test_http_lookup_and_token_refuse(target: Target) -> None:
    number = target.line["management_no"]
    web = target.web
    for name, answer in {
        "10 kB name": web.post("/api/v1/lookup", json={"management_no": number, "name": LONG}),
        "10 kB number": web.post("/api/v1/lookup", json={"management_no": LONG, "name": "王"}),
        "no name": web.post("/api/v1/lookup", json={"management_no": number}),
        "list": web.post("/api/v1/lookup", json=[1, 2]),
        "number as a number": web.post("/api/v1/lookup", json={"management_no": 1, "name": {}}),
        "broken json": web.post("/api/v1/lookup", content=b"{", headers={"Content-Type": "application/json"}),
        "deep json": web.post("/api/v1/lookup", content=b"[" * 60_000, headers={"Content-Type": "application/json"}),
        "1 MB": web.post("/api/v1/lookup", content=b"[" * 1_000_000, headers={"Content-Type": "application/json"}),
        "wrong name": web.post("/api/v1/lookup", json={"management_no": number, "name": "别人"}),
    }.items():
        assert_problem(name, answer)
    token = target.line["verify_url"].rsplit("/", 1)[1]
    for bad in (token[:-1], token + "A", "A" * 26, "1" * 26, "A" * 5000, "%00", "%ff%fe", "王", "%2e%2e", "a/b", "*"):
        for path in ("/v/", "/V/", "/api/v1/certificates/", "/api/v1/files/"):
            answer = web.get(path + bad, headers={"Accept": "application/json"})
            assert 400 <= answer.status_code < 500, (path + bad[:40], answer.status_code)
            if path.lower() == "/v/" and bad.isascii() and len(bad) < 100 and "/" not in bad:
                page = web.get(path + bad, headers={"Accept": "text/html"})
                assert 400 <= page.status_code < 500 and 'data-tone="good"' not in page.text, bad
    target.assert_as_before()


def test_http_rosters_and_decisions_refuse(target: Target, workbooks: dict[str, Path]) -> None:
    web, bearer = target.web, target.bearer
    for name, path in workbooks.items():
        if not path.is_file():
            continue
        with path.open("rb") as content:
            answer = web.post("/api/v1/rosters", data={"sitting": SITTING}, files={"file": content}, headers=bearer)
        assert_problem(name, answer, 413, 422)
    small = {"file": ("a.xlsx", b"x")}
    for name, answer, status in (
        ("no token", web.post("/api/v1/rosters", data={"sitting": SITTING}, files=small), 401),
        (
            "false token",
            web.post(
                "/api/v1/rosters", data={"sitting": SITTING}, files=small, headers={"Authorization": "Bearer x"}
            ),
            401,
        ),
        ("no such sitting", web.post("/api/v1/rosters", data={"sitting": "X"}, files=small, headers=bearer), 404),
        ("no file", web.post("/api/v1/rosters", data={"sitting": SITTING}, headers=bearer), 422),
        ("json", web.post("/api/v1/rosters", json={"sitting": LONG}, headers=bearer), 422),
        ("no such case", web.post("/api/v1/invalidations/99/approve", headers=bearer), 403),
        ("wrong ground", web.post("/api/v1/invalidations", json={"ground": LONG}, headers=bearer), 422),
        ("10 kB number", web.post("/api/v1/paper/replacements", json={"management_no": LONG}, headers=bearer), 422),
    ):
        assert_problem(name, answer, status)
    target.assert_as_before()


def test_the_holders_door_says_the_same_to_everybody(target: Target) -> None:
    """10 kB, nothing, and a real name with a false number: no answer tells which fact was wrong, none opens."""
    web, seen = target.web, set()
    for facts in (
        {"id_no": "110101199001011234", "name": target.line["name"], "admission_no": "1"},
        {"id_no": "示例号码", "name": "示例姓名", "admission_no": "示例考号"},
    ):
        answer = web.post("/my/sign-in", data=facts)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers
        assert facts["id_no"] not in answer.text
        seen.add(answer.text)
    assert len(seen) == 1
    for facts in ({"id_no": LONG, "name": LONG, "admission_no": LONG}, {}):
        answer = web.post("/my/sign-in", data=facts)
        assert 400 <= answer.status_code < 500 and LONG[:50] not in answer.text
    target.assert_as_before()
    assert json.loads((target.ecert.folder / "summary.json").read_text(encoding="utf-8"))["issued"] == 3
