"""`ecert hearing` and `ecert work` from the command line, and the record that is sealed when the hearing is over."""

import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.cli import run
from issuer.hearings.matter import About
from issuer.hearings.reading import show_hearing
from issuer.hearings.sealed_record import record_of
from issuer.hearings.service import close_unsigned
from issuer.records.hearings import Hearing
from issuer.records.ledger import AuditEvent
from tests.factories.office import Office
from tests.factories.pdf_judges import outloud, poppler
from tests.issuer.hearings.test_hearings import MINUTES, PLACE, PNG, SECOND, clock_of, defender, go_to, held
from tests.issuer.hearings.test_hearings import office as office  # the fixture

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(office: Office, capsys: pytest.CaptureFixture[str]) -> Say:
    """`ecert` on the office's folder: exit code, what it said, what it complained of."""

    def said(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*words, "--data-dir", str(office.world.folder)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return said


def notice(office: Office, days: int = 8) -> list[str]:
    day = clock_of(office.world).today() + timedelta(days=days)
    own = defender(office.world)
    about = ["--sitting", office.world.sitting, "--admission-no", own.admission_no]
    return ["hearing", "notify", "--at", f"{day} 10:00", "--place", PLACE, "--chair", "second", *about]


def was(office: Office, **columns: object) -> None:
    """Move the hearing's own days into the past."""
    with office.world.ctx.database.write() as session:
        row = session.scalars(select(Hearing)).one()
        for name, value in columns.items():
            setattr(row, name, value)


def test_a_hearing_from_its_notice_to_its_sealed_record(office: Office, say: Say, tmp_path: Path) -> None:
    now = office.world.ctx.clock.now()
    assert say("hearing", "list")[1].startswith("没有听证")
    code, out, _ = say(*notice(office), "--as", "issuer", "--json")
    made = json.loads(out)
    assert code == 0 and made["number"].startswith("TZ-")
    number = str(made["hearing"])
    listed = json.loads(say("hearing", "list", "--open", "--json")[1])["hearings"]
    assert [(row["id"], row["place"]) for row in listed] == [(made["hearing"], PLACE)]
    assert made["number"] in say("hearing", "list")[1]
    minutes, scan = tmp_path / "minutes.txt", tmp_path / "scan.png"
    minutes.write_text(MINUTES, encoding="utf-8")
    scan.write_bytes(PNG)
    words = ["hearing", "record", number, "--present", "party: 当事人甲", "--minutes", str(minutes), "--as", "second"]
    assert say(*words)[0] == 2, "it was not held yet"
    was(office, starts_at=now - timedelta(days=1))
    code, out, _ = say(*words, "--scan", str(scan), "--signed", "--json")
    assert (code, json.loads(out)) == (0, {"hearing": int(number), "state": "confirmed"})
    file = tmp_path / "record.pdf"
    code, out, _ = say("hearing", "pdf", number, "--out", str(file), "--json")
    assert (code, json.loads(out)["number"]) == (0, made["number"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Signature is Valid" in poppler(file)
    judged = outloud(file)
    assert judged.returncode == 0, judged.stdout
    assert say("hearing", "pdf", number, "--out", str(file))[0] == 2, "a file is not written over"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("waived", ("absent", "--why", "经通知无正当理由未到场")),
        ("unsigned", ("unsigned", "--why", "期满未核对笔录")),
    ],
)
def test_nobody_came_or_nobody_signed(office: Office, say: Say, state: str, words: tuple[str, ...]) -> None:
    ctx = office.world.ctx
    if state == "waived":
        number = json.loads(say(*notice(office), "--as", "issuer", "--json")[1])["hearing"]
        was(office, starts_at=ctx.clock.now() - timedelta(days=1))
    else:
        number = held(office.world, About(defence_of=defender(office.world).id))
        was(office, answer_due_on=ctx.clock.today() - timedelta(days=30))
    command, *rest = words
    code, out, _ = say("hearing", command, str(number), *rest, "--as", "second")
    assert code == 0 and state in out
    assert say("hearing", command, str(number), *rest, "--as", "second")[0] == 2, "once"


@pytest.mark.parametrize(
    "words",
    [
        ("hearing", "record", "99", "--present", "party: 甲", "--minutes", "{minutes}"),
        ("hearing", "record", "{number}", "--present", "甲", "--minutes", "{minutes}"),
        ("hearing", "record", "{number}", "--present", "party: 甲", "--minutes", "{gb}"),
        ("hearing", "record", "{number}", "--present", "party: 甲", "--minutes", "{absent}"),
        ("hearing", "record", "{number}", "--present", "party: 甲", "--minutes", "{minutes}", "--signed"),
        ("hearing", "record", "{number}", "--present", "party: 甲", "--minutes", "{minutes}", "--scan", "{minutes}"),
        ("hearing", "record", "{number}", "--present", "party: 甲", "--minutes", "{minutes}", "--as", "reviewer"),
        ("hearing", "absent", "{number}", "--why", ""),
        ("hearing", "unsigned", "{number}", "--why", "太早了不能办理"),
        ("hearing", "pdf", "99", "--out", "{new}"),
        ("hearing", "pdf", "{number}", "--out", "{absent}/record.pdf"),
        ("hearing", "pdf", "{number}", "--out", "{new}", "--as", "stranger"),
        ("hearing", "pdf", "abc", "--out", "{new}"),
        ("hearing", "notify", "--at", "soon", "--place", "一号会议室", "--chair", "second", "--case", "1"),
        ("hearing", "notify", "--at", "2030-01-01 10:00", "--place", "一号会议室", "--chair", "second"),
        (
            "hearing",
            "notify",
            "--at",
            "2030-01-01 10:00",
            "--place",
            "一号会议室",
            "--chair",
            "second",
            "--case",
            "9",
        ),
        ("hearing", "list", "--as", "nobody"),
        ("work", "take", "review", "999"),
        ("work", "take", "nothing", "1"),
        ("work", "take", "review", "1", "--as", "stranger"),
        ("work", "release", "review", "2"),
        ("work", "take-over", "review", "1", "--reason", "换人办理", "--as", "issuer"),
        ("work", "take-over", "review", "1", "--reason", ""),
        ("work", "show", "review", "x"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_two(
    office: Office, say: Say, tmp_path: Path, words: tuple[str, ...]
) -> None:
    minutes, gb = tmp_path / "minutes.txt", tmp_path / "gb.txt"
    minutes.write_text(MINUTES, encoding="utf-8")
    gb.write_bytes(MINUTES.encode("gb18030"))
    number = json.loads(say(*notice(office), "--as", "issuer", "--json")[1])["hearing"]
    was(office, starts_at=office.world.ctx.clock.now() - timedelta(days=1))
    places = {
        "minutes": str(minutes),
        "gb": str(gb),
        "absent": str(tmp_path / "absent"),
        "new": str(tmp_path / "new.pdf"),
        "number": str(number),
    }
    acting = () if "--as" in words else ("--as", "supervisor" if words[1] == "take-over" else "second")
    code, out, err = say(*(word.format(**places) for word in words), *acting)
    assert (code, out) == (2, "") and err.strip()
    assert not (tmp_path / "new.pdf").exists()


def test_a_case_is_taken_put_back_and_taken_over(office: Office, say: Say) -> None:
    assert "无人办理" in say("work", "show", "review", "1", "--as", "reviewer")[1]
    code, out, _ = say("work", "take", "review", "1", "--as", "reviewer", "--json")
    assert (code, json.loads(out)) == (0, {"kind": "review", "case": 1, "state": "taken"})
    assert json.loads(say("work", "show", "review", "1", "--as", "issuer", "--json")[1])["holder"] == "reviewer"
    assert say("work", "take", "review", "1", "--as", "issuer")[0] == 2, "somebody has it"
    over = ("work", "take-over", "review", "1", "--reason", "经办人休假", "--to", "issuer", "--as", "supervisor")
    assert say(*over)[0] == 0
    assert json.loads(say("work", "show", "review", "1", "--as", "issuer", "--json")[1])["holder"] == "issuer"
    assert say("work", "release", "review", "1", "--as", "issuer")[0] == 0
    assert "无人办理" in say("work", "show", "review", "1", "--as", "issuer")[1]


def test_the_record_is_sealed_once_when_it_is_over(office: Office, tmp_path: Path) -> None:
    world = office.world
    ctx = world.ctx
    number = held(world, About(defence_of=defender(world).id))
    working = tmp_path / "working.pdf"
    working.write_bytes(record_of(ctx, SECOND, show_hearing(ctx, SECOND, number)))
    assert "does not contain any signatures" in poppler(working)
    go_to(world, 6)
    close_unsigned(ctx, SECOND, number, "当事人期满未核对")
    view = show_hearing(ctx, SECOND, number)
    sealed = record_of(ctx, SECOND, view)
    assert record_of(ctx, SECOND, view) == sealed
    with ctx.database.read() as session:
        sealing = select(AuditEvent.outcome).where(AuditEvent.act == "hearing.seal").order_by(AuditEvent.sequence)
        acts = session.execute(sealing).scalars().all()
        row = session.get_one(Hearing, number)
        assert row.record_key is not None and ctx.storage.get(row.record_key) != sealed, "it rests encrypted"
        ctx.storage.delete(row.record_key)
    assert len(acts) == 2 and acts[0] == "intent"
    again = record_of(ctx, SECOND, view)
    assert again.startswith(b"%PDF-"), "a file that is gone is sealed anew"
