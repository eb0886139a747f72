"""`ecert audit verify` remembers the chain's head, so that a cut-off end is found too."""

import json

import pytest
from sqlalchemy import text

from issuer.audit import record_event, verify_chain
from issuer.cli import run
from issuer.records.ledger import AuditEvent
from tests.factories.world import World
from tests.issuer.audit.triggers import drop_audit_triggers


def test_a_chain_cut_off_after_a_good_check_is_found(world_copy: World, capsys: pytest.CaptureFixture[str]) -> None:
    verify = ["audit", "verify", "--data-dir", str(world_copy.folder)]
    assert run(verify) == 0
    good = (world_copy.folder / "audit-heads.txt").read_text().split()[-1]
    drop_audit_triggers(world_copy.ctx.database.engine)
    with world_copy.ctx.database.write() as session:
        session.execute(text("DELETE FROM audit_events WHERE sequence = (SELECT max(sequence) FROM audit_events)"))
        assert verify_chain(session).intact, "by itself the shorter chain looks whole"
    capsys.readouterr()
    assert run([*verify, "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["compared_with"], [fault["kind"] for fault in report["faults"]]) == (good, ["truncated"])
    assert run([*verify, "--head", good]) == 2
    assert "truncated" in capsys.readouterr().err


def test_a_whole_issue_leaves_an_intact_chain_without_personal_data(world_copy: World) -> None:
    with world_copy.ctx.database.write() as session:
        assert verify_chain(session).intact
        trail = str([(event.subject, event.actor, event.details) for event in session.query(AuditEvent)])
    assert len(trail) > 1000
    for person in world_copy.people:
        for secret in (person.name, person.id_no, person.admission_no):
            assert secret not in trail


def test_the_act_at_a_terminal_names_the_machines_user(world_copy: World) -> None:
    from tests.factories.world import PROPOSER

    with world_copy.ctx.database.write() as session:
        event = record_event(session, world_copy.ctx.clock, PROPOSER, "test.act", "sitting:A")
    assert event.details["via"] == "cli" and event.details["os_user"]
