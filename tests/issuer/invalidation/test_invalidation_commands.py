"""`ecert revoke`, `ecert reinstate`, `ecert invalidation`: two people, and every check shows it at once."""

import json
from typing import Any

import pytest

from issuer.access.service import create_account, set_active
from issuer.cli import run
from issuer.rules.terms import Role
from tests.factories.candidates import invent
from tests.factories.paper_office import make_paper, serial_of
from tests.factories.world import World
from verifier.record.verdict import Verdict

BASIS = "豫人社函〔2024〕25号一（三）：不符合报考条件"


@pytest.fixture
def world(world_copy: World) -> World:
    with world_copy.ctx.database.write() as session:
        for username, role in (
            ("clerk", Role.AUTHORITY_ISSUER),
            ("chief", Role.AUTHORITY_APPROVER),
            ("second-chief", Role.AUTHORITY_APPROVER),
            ("auditor", Role.AUDITOR),
        ):
            create_account(
                session,
                world_copy.ctx.clock,
                username=username,
                display_name=username,
                password="correct horse battery",
                roles=[role],
            )
    return world_copy


@pytest.fixture
def number(world: World) -> str:
    return world.certificates()[0].management_no


def say(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = run([*words, "--data-dir", str(world.folder), "--json"])
    return code, json.loads(capsys.readouterr().out)


def verdicts(world: World, number: str) -> set[Verdict]:
    checker, certificate = world.checker(), world.certificate(number)
    return {
        checker.check_token(certificate.token).verdict,
        checker.check_qr(world.qr_text(certificate)).verdict,
        checker.check_pdf(world.pdf(certificate)).verdict,
        checker.check_number(number).verdict,
    }


def test_both_people_named_it_falls_at_once_and_stands_up_again(
    world: World, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdicts(world, number) == {Verdict.VALID}
    people = ("--proposed-by", "clerk", "--approved-by", "chief")
    code, case = say(world, capsys, "revoke", number, "--ground", "R9", "--basis", BASIS, *people)
    assert (code, case["state"], case["ground"], case["clause"]) == (0, "applied", "ineligible-in-supervision", "R9")
    assert (case["proposed_by"], case["decided_by"]) == ("clerk", "chief")
    assert verdicts(world, number) == {Verdict.INVALID}
    appeal = ("reinstate", number, "--basis", "申诉成立，撤销原决定")
    code, refused = say(world, capsys, *appeal, *people)
    assert (code, refused["error"]["code"]) == (2, "same-person")
    assert say(world, capsys, "invalidation", "list", "--state", "proposed")[1]["cases"] == [], (
        "nothing was half done"
    )
    code, case = say(world, capsys, *appeal, "--proposed-by", "clerk", "--approved-by", "second-chief")
    assert (code, case["state"], case["kind"]) == (0, "applied", "reinstate")
    assert verdicts(world, number) == {Verdict.VALID}
    code, audit = say(world, capsys, "audit", "list", "--subject", f"invalidation:{case['id']}")
    assert code == 0 and audit["events"][0]["details"]["os_user"], "who was signed in to the machine is on record"


def test_nobody_named_only_proposes_and_says_who_must_approve(
    world: World, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, case = say(world, capsys, "revoke", number, "--ground", "R10", "--basis", BASIS, "--suspend")
    assert (code, case["state"], case["sample_accounts"]) == (0, "proposed", False)
    assert case["approvers"] == ["chief", "second-chief"]
    assert verdicts(world, number) == {Verdict.SUSPENDED}
    assert say(world, capsys, "invalidation", "approve", str(case["id"]), "--by", "auditor")[0] == 2
    code, case = say(world, capsys, "invalidation", "approve", str(case["id"]), "--by", "chief")
    assert (code, case["state"]) == (0, "applied")
    assert verdicts(world, number) == {Verdict.INVALID}


def test_reject_and_withdraw(world: World, number: str, capsys: pytest.CaptureFixture[str]) -> None:
    propose = ("revoke", number, "--ground", "R9", "--basis", BASIS, "--suspend", "--proposed-by", "clerk")
    first = str(say(world, capsys, *propose)[1]["id"])
    note = ("--note", "证据不足，不予批准")
    assert say(world, capsys, "invalidation", "withdraw", first, *note, "--by", "chief")[0] == 2
    assert say(world, capsys, "invalidation", "withdraw", first, *note, "--by", "clerk")[1]["state"] == "withdrawn"
    second = str(say(world, capsys, *propose)[1]["id"])
    assert say(world, capsys, "invalidation", "reject", second, *note, "--by", "chief")[1]["state"] == "rejected"
    assert say(world, capsys, "invalidation", "show", second)[1]["decision_note"] == "证据不足，不予批准"
    assert verdicts(world, number) == {Verdict.VALID}


def test_the_demo_folder_uses_its_sample_accounts_and_says_so(
    world: World, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (world.folder / "demo.json").write_text(json.dumps({"proposer": "clerk", "approver": "chief"}))
    code = run(["revoke", number, "--ground", "R9", "--basis", BASIS, "--data-dir", str(world.folder)])
    out = capsys.readouterr().out
    assert code == 0 and "示例账号" in out and "clerk + chief" in out
    assert verdicts(world, number) == {Verdict.INVALID}
    code, case = say(world, capsys, "reinstate", number, "--basis", "申诉成立，撤销原决定")
    assert (code, case["state"], case["decided_by"]) == (0, "applied", "second-chief")


def test_a_plan_first(world: World, number: str, capsys: pytest.CaptureFixture[str]) -> None:
    revoke = ("revoke", number, "--ground", "R9", "--basis", BASIS)
    code, plan = say(world, capsys, *revoke, "--plan")
    assert code == 0 and plan["subjects_void"] >= 1 and plan["status_then"] == "invalid"
    code, stale = say(world, capsys, *revoke, "--apply", "0" * 64)
    assert (code, stale["error"]["code"]) == (2, "plan-out-of-date")
    assert verdicts(world, number) == {Verdict.VALID}
    code, case = say(world, capsys, *revoke, "--apply", plan["digest"], "--proposed-by", "clerk")
    assert (code, case["state"]) == (0, "proposed")


def test_one_clear_line_for_every_mistake(world: World, number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with world.ctx.database.write() as session:
        set_active(session, "second-chief", False)
    revoke = ("revoke", number, "--ground", "R9", "--basis", BASIS)
    for words in (
        ("revoke", number, "--ground", "R99", "--basis", BASIS),
        ("revoke", "NOSUCH", "--ground", "R9", "--basis", BASIS),
        ("revoke", number, "--ground", "R9"),
        (*revoke, "--effective-on", "2999-01-01"),
        (*revoke, "--approved-by", "chief"),
        (*revoke, "--proposed-by", "clerk", "--approved-by", "clerk"),
        (*revoke, "--proposed-by", "clerk", "--approved-by", "nobody"),
        (*revoke, "--proposed-by", "clerk", "--approved-by", "second-chief"),
        ("reinstate", number, "--basis", BASIS),
        ("invalidation", "approve", "999", "--by", "chief"),
        ("paper", "replace", "--management-no", number, "--reason", "遗失"),
        ("review", "decide", "--sitting", world.sitting, "--round", "first", "--all-eligible"),
        ("audit", "verify", "--head", "nonsense"),
    ):  # fmt: skip
        code = run([*words, "--data-dir", str(world.folder)])
        captured = capsys.readouterr()
        assert code >= 2 and captured.out == "", words
        assert captured.err.count("\n") == 1 and "Traceback" not in captured.err, (words, captured.err)
    assert verdicts(world, number) == {Verdict.VALID}
    assert say(world, capsys, "invalidation", "list")[1]["cases"] == []
    code, listed = say(world, capsys, "paper", "list")
    assert [(row["state"], row["clause"]) for row in listed["requests"]] == [("refused", "R14")]


def test_r9_who_holds_no_certificate_is_named_by_sitting_and_admission_number(
    eligible_world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with eligible_world.ctx.database.write() as session:
        for username, role in (("clerk", Role.AUTHORITY_ISSUER), ("chief", Role.AUTHORITY_APPROVER)):
            create_account(
                session,
                eligible_world.ctx.clock,
                username=username,
                display_name=username,
                password="correct horse battery",
                roles=[role],
            )
    seat = ("--sitting", eligible_world.sitting, "--admission-no", invent(1)[0].admission_no)
    named = ("--ground", "R9", "--basis", BASIS, "--proposed-by", "clerk", "--approved-by", "chief")
    code, plan = say(eligible_world, capsys, "revoke", *seat, "--ground", "R9", "--plan", "--as", "clerk")
    assert (code, plan["about"], plan["management_no"]) == (0, "score-report", None)
    code, case = say(eligible_world, capsys, "revoke", *seat, *named, "--apply", plan["digest"])
    assert (code, case["state"], case["about"]) == (0, "applied", "score-report")
    code, refused = say(eligible_world, capsys, "revoke", *seat, "2025000001", *named)
    assert code >= 2, refused
    make_paper(eligible_world)
    serial = serial_of(eligible_world, invent(2)[1].admission_no)
    code, case = say(eligible_world, capsys, "revoke", serial, *named)
    assert (code, case["about"], case["paper_serial"]) == (0, "paper", serial)
    code = run(["invalidation", "list", "--data-dir", str(eligible_world.folder), "--as", "clerk"])
    assert code == 0 and serial in capsys.readouterr().out
