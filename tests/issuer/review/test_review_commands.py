"""`ecert review` from the command line, on a folder taken from a real roster."""

import json
from pathlib import Path
from typing import Any

import pytest

from issuer.cli import run
from tests.factories.world import World


def say(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = run([*words, "--data-dir", str(world.folder), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_status_and_the_same_decisions_again(
    eligible_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = eligible_world
    code, status = say(world, capsys, "review", "status", "--sitting", world.sitting)
    assert code == 0 and status["counts"] == [{"round": "first", "outcome": "eligible", "count": len(world.people)}]
    decisions = tmp_path / "again.csv"
    rows = [f"{person.admission_no},合格" for person in world.people]
    decisions.write_text("\n".join(["准考证号,核查结果", *rows, "4199999999,合格"]), encoding="gb18030")
    report = tmp_path / "report.json"
    words = (
        "review",
        "decide",
        str(decisions),
        "--sitting",
        world.sitting,
        "--round",
        "first",
        "--report",
        str(report),
    )
    code, done = say(world, capsys, *words)
    assert (code, done["moved"], done["unchanged"], done["refused"]) == (0, {}, len(world.people), 1)
    assert json.loads(report.read_text()) == done
    assert run([*words, "--data-dir", str(world.folder)]) == 0
    out = capsys.readouterr().out
    assert "退回 1" in out and "not_in_sitting" in out


def test_a_candidate_found_ineligible_late_is_not_issued(
    eligible_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = eligible_world
    decisions = tmp_path / "late.csv"
    decisions.write_text(f"准考证号,结论,说明\n{world.people[0].admission_no},不合格,年限不足\n", encoding="utf-8")
    words = ("review", "decide", str(decisions), "--sitting", world.sitting, "--round", "first")
    assert say(world, capsys, *words)[1]["moved"] == {"不合格": 1}
    report = world.issue()
    assert report.published == len(world.people) - 1


def test_acts_of_the_calendar_that_do_not_fit_are_one_line(
    eligible_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = eligible_world
    person = world.people[0].admission_no
    sitting = ("--sitting", world.sitting)
    for words in (
        ("review", "open-notice", *sitting),
        ("review", "object", *sitting, "--admission-no", person, "--text", "过期异议"),
        ("review", "defend", *sitting, "--admission-no", person, "--text", "无从申辩"),
        ("review", "resolve-objection", "7", "--upheld", "--resolution", "无"),
        ("review", "status", "--sitting", "NOSUCH"),
        ("review", "decide", str(tmp_path / "missing.csv"), *sitting, "--round", "first"),
        ("review", "decide", *sitting, "--round", "second"),
    ):
        assert run([*words, "--data-dir", str(world.folder)]) == 2, words
        captured = capsys.readouterr()
        assert captured.out == "" and captured.err.count("\n") == 1, captured.err
        assert person not in captured.err
    for act in ("close-first-round", "open-supplementary", "lapse"):
        code, done = say(world, capsys, "review", act, *sitting)
        assert (code, done["moved"]) == (0, 0), "nobody is left to move"


def test_the_template_is_written_for_who_waits(
    eligible_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "fill-in.xlsx"
    words = ("review", "export", str(target), "--sitting", eligible_world.sitting, "--round", "first")
    code, done = say(eligible_world, capsys, *words)
    assert (code, done["rows"]) == (0, 0) and target.is_file()
