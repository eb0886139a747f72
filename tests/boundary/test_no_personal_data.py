"""Where no person's data may stand: the public record, public answers, logs, error texts, audit events."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from issuer.audit import verify_chain
from issuer.cli import run
from issuer.error_log import keep_traceback
from issuer.errors import ECertificateAlreadyIssued
from issuer.invalidation import service as invalidation
from issuer.issuance.supersede import approve_supersession, supersede
from issuer.paper.service import request_replacement
from issuer.rules.terms import InvalidationGround
from tests.factories.stored_rows import ISSUER, PASSING, REGISTER, all_values, digest_of_rows, reading, row_counts
from tests.factories.world import APPROVER, PROPOSER, World
from verifier.settings import VerifierSettings
from verifier.web.app import create_app

NEW_NAME = "改名示例"
BASIS = "示例：日常监管发现不符合报考条件。"


@pytest.fixture
def lived(world_copy: World) -> Iterator[World]:
    """A world in which a certificate fell, another was superseded, and paper was refused."""
    first, second, third, *_ = world_copy.certificates()
    revoke(world_copy, first.management_no)
    correct(world_copy, second.management_no)
    refuse_paper(world_copy, third.management_no)
    yield world_copy


def revoke(world: World, management_no: str) -> None:
    """Proposed by one, approved by another."""
    ground = InvalidationGround.INELIGIBLE_IN_SUPERVISION
    case = invalidation.propose(world.ctx, PROPOSER, management_no, ground, BASIS, suspend=True)
    invalidation.approve(world.ctx, APPROVER, case)


def correct(world: World, management_no: str) -> None:
    """A corrected name: the old certificate is superseded."""
    number = supersede(world.ctx, PROPOSER, management_no, NEW_NAME, BASIS)
    approve_supersession(world.ctx, APPROVER, number)


def refuse_paper(world: World, management_no: str) -> None:
    """R14."""
    with pytest.raises(ECertificateAlreadyIssued):
        request_replacement(world.ctx, PROPOSER, management_no=management_no, reason=BASIS)


def secrets_of(world: World) -> dict[str, str]:
    """What nobody may read there: kind → text. Names, ID and admission numbers, management numbers."""
    found = {"new name": NEW_NAME}
    for number, person in enumerate(world.people):
        found |= {f"name {number}": person.name, f"id {number}": person.id_no}
        found |= {f"admission {number}": person.admission_no}
    for number, certificate in enumerate(world.certificates()):
        found[f"number {number}"] = certificate.management_no
    return found


def places_with(values: Iterator[tuple[str, str]], secrets: dict[str, str]) -> list[str]:
    """Columns that hold a secret as text, as the hexadecimal of its bytes, or as its plain SHA-256."""
    shapes = {}
    for kind, text in secrets.items():
        shapes[text] = kind
        shapes[text.encode().hex()] = f"{kind}, hex"
        shapes[hashlib.sha256(text.encode()).hexdigest()] = f"{kind}, unsalted digest"
    return [f"{column}: {kind}" for column, value in values for shape, kind in shapes.items() if shape in value]


def test_the_public_record_holds_no_person(lived: World) -> None:
    secrets = secrets_of(lived)
    lived.close()
    with reading(lived.folder / REGISTER) as connection:
        (statuses,) = connection.execute("SELECT count(DISTINCT status) FROM certificates").fetchone()
    assert statuses == 3, "valid, invalid and superseded are all there to be looked through"
    assert places_with(all_values(lived.folder / REGISTER), secrets) == []


def test_names_and_id_numbers_rest_encrypted_on_the_private_side(lived: World) -> None:
    secrets = {kind: text for kind, text in secrets_of(lived).items() if kind.split()[0] in ("name", "id", "new")}
    lived.close()
    assert places_with(all_values(lived.folder / ISSUER), secrets) == []
    raw = b"".join(path.read_bytes() for path in lived.folder.glob("*.sqlite3*"))
    assert [kind for kind, text in secrets.items() if text.encode() in raw] == []


def test_the_scan_would_find_them(lived: World, tmp_path: Path) -> None:
    """The same scan over a register into which somebody put a name, an ID number's digest and a number in bytes."""
    secrets = secrets_of(lived)
    lived.close()
    leak = tmp_path / "leak.sqlite3"
    with closing(sqlite3.connect(leak)) as connection:
        connection.execute("CREATE TABLE t (a TEXT, b BLOB, c TEXT)")
        digest = hashlib.sha256(secrets["id 0"].encode()).hexdigest()
        values = (f"x{secrets['name 0']}y", secrets["number 1"].encode(), digest)
        connection.execute("INSERT INTO t VALUES (?, ?, ?)", values)
        connection.commit()
    assert {place.split(":")[0] for place in places_with(all_values(leak), secrets)} == {"t.a", "t.b", "t.c"}


def test_public_answers_by_token_and_digest_name_nobody(lived: World) -> None:
    """A token or a digest alone says nothing about who; the log, the lists and the keys neither."""
    secrets = secrets_of(lived)
    certificates = lived.certificates()
    digests = [hashlib.sha256(lived.pdf(certificate)).hexdigest() for certificate in certificates]
    addresses = [f"/api/v1/certificates/{certificate.token}" for certificate in certificates]
    addresses += [f"/v/{certificate.token}" for certificate in certificates]
    addresses += [f"/api/v1/files/{digest}" for digest in digests]
    addresses += ["/status-lists/1", "/log/checkpoint", "/log/tile/0/000", "/.well-known/ecert-keys.json", "/"]
    settings = VerifierSettings(data_dir=lived.folder, verify_base_url=lived.settings.verify_base_url)
    with TestClient(create_app(settings, clock=lived.clock.now)) as web:
        for accept in ("application/json", "text/html"):
            for address in addresses:
                answer = web.get(address, headers={"Accept": accept})
                head = json.dumps(dict(answer.headers))
                told = answer.content.decode("utf-8", "ignore") + head
                assert [kind for kind, text in secrets.items() if text in told] == [], address


def test_audit_events_hold_no_person_and_their_chain_is_whole(lived: World) -> None:
    secrets = {kind: text for kind, text in secrets_of(lived).items() if not kind.startswith("number")}
    with lived.ctx.database.read() as session:
        assert verify_chain(session).intact
    lived.close()
    events = ((column, value) for column, value in all_values(lived.folder / ISSUER) if column.startswith("audit_"))
    assert places_with(events, secrets) == []


def test_a_run_that_fails_in_the_middle_tells_and_logs_no_person(
    eligible_world: World, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The database breaks under an issue: SQL errors carry whole rows, and none of it may come out."""
    world = eligible_world
    secrets = secrets_of(world)
    world.close()
    breakages = (
        "CREATE TRIGGER broken BEFORE INSERT ON e_certificates BEGIN SELECT RAISE(ABORT, 'disk gone'); END",
        "ALTER TABLE scores RENAME TO scores_gone",
    )
    seen = ""
    for breakage in breakages:
        with closing(sqlite3.connect(world.folder / ISSUER)) as connection:
            connection.execute(breakage)
            connection.commit()
        for words in (
            ("issue", "--sitting", world.sitting, "--workers", "1"),
            ("roster", "import", str(roster_of(world)), "--sitting", world.sitting),
        ):
            code = run([*words, "--data-dir", str(world.folder)])
            captured = capfd.readouterr()
            assert code in (0, 2, 70), words
            assert "Traceback" not in captured.err
            seen += captured.out + captured.err
    logs = list((world.folder / "logs").glob("*.log"))
    assert logs, "something did fail, and was kept for whoever looks into it"
    seen += "".join(log.read_text(encoding="utf-8") for log in logs) + caplog.text
    assert [kind for kind, text in secrets.items() if text in seen] == []


def test_an_error_that_quotes_a_row_is_kept_without_it(world_copy: World) -> None:
    """Libraries put what they choke on into their texts: names of any script and numbers are taken out."""
    secrets = {kind: text for kind, text in secrets_of(world_copy).items() if kind != "new name"}
    for text in secrets.values():
        try:
            try:
                raise ValueError(f"could not convert {text!r} ({text})")
            except ValueError as inner:
                raise RuntimeError(f"[SQL: INSERT INTO x]\n[parameters: ('{text}',)]") from inner
        except RuntimeError as exc:
            reference, kept = keep_traceback(exc, world_copy.folder)
        assert kept is not None
        log = kept.read_text(encoding="utf-8")
        assert reference in log and "could not convert" in log and text not in log


def roster_of(world: World) -> Path:
    """A roster with changed names, so that an import has rows to write."""
    path = world.folder.parent / "changed.csv"
    lines = ["准考证号,姓名,性别,证件类型,证件号码,专业类别,报考地市,报考方式,施工管理,法规"]
    for person in world.people:
        gender = "男" if int(person.id_no[16]) % 2 else "女"
        line = (person.admission_no, person.name, gender, "居民身份证", person.id_no, person.specialty, person.city)
        lines.append(",".join((*line, "告知承诺", "88", "89")))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_nothing_is_ever_deleted(world_copy: World) -> None:
    """Through a whole life of acts no table loses a row, and no audit event or status event is rewritten."""
    world = world_copy
    first, second, third, *_ = world.certificates()

    def reinstate() -> None:
        appeals = type(APPROVER)("zhou.appeals", APPROVER.roles, "cli")
        case = invalidation.overturn(world.ctx, PROPOSER, first.management_no, "示例：申诉成立。")
        invalidation.approve(world.ctx, appeals, case)

    def reject() -> None:
        ground = InvalidationGround.FALSE_MATERIALS
        case = invalidation.propose(world.ctx, PROPOSER, third.management_no, ground, BASIS, suspend=True)
        invalidation.reject(world.ctx, APPROVER, case, "示例：证据不足。")

    before, kept = row_counts(world.folder), appended(world.folder)
    for act in (
        lambda: revoke(world, first.management_no),
        reinstate,
        lambda: correct(world, second.management_no),
        reject,
        lambda: refuse_paper(world, third.management_no),
        world.issue,
    ):
        act()
        after = row_counts(world.folder)
        fewer = {
            table for table, count in before.items() if after[table] < count and table.split("/")[1] not in PASSING
        }
        assert fewer == set(), act
        now = appended(world.folder)
        for table, rows in kept.items():
            assert now[table][: len(rows)] == rows, f"{table} was rewritten"
        before, kept = after, now
    files = {certificate.token for certificate in world.certificates()}
    assert len(list(world.folder.glob("files/certificates/**/*.pdf"))) >= len(files)


def appended(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Tables that only ever grow, row by row in their order."""
    ordered = {
        "audit_events": (ISSUER, "sequence"),
        "status_events": (ISSUER, "id"),
        "review_events": (ISSUER, "id"),
        "status_changes": (REGISTER, "changed_at, token, sequence"),
        "log_leaves": (REGISTER, "leaf_index"),
        "log_checkpoints": (REGISTER, "tree_size"),
    }
    found = {}
    for table, (side, order) in ordered.items():
        with reading(folder / side) as connection:
            found[table] = connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
    return found


def test_looking_changes_nothing(world_copy: World) -> None:
    """Checks by every in-process way, right and wrong: not one row is written."""
    world = world_copy
    certificate = world.certificates()[0]
    checker, pdf, code = world.checker(), world.pdf(certificate), world.qr_text(certificate)
    before = digest_of_rows(world.folder)
    checker.check_token(certificate.token)
    checker.check_number(certificate.management_no, certificate.name)
    checker.check_number(certificate.management_no, "别人")
    checker.check_qr(code)
    checker.check_pdf(pdf)
    checker.check_pdf(b"junk")
    assert digest_of_rows(world.folder) == before
