"""Two approvers press at the same moment: one gets the result, the other 409 with a clause and what to do next."""

import pytest

from tests.factories.office import Office
from tests.factories.small_world import race

DECISIONS = {
    "approve": ({}, {"approver": "approve", "second": "approve"}),
    "reject": ({"note": "证据不足，不予批准"}, {"approver": "approve", "second": "reject"}),
}


@pytest.mark.parametrize("other", DECISIONS)
def test_one_case_two_approvers_one_conflict(office: Office, other: str) -> None:
    body, presses = DECISIONS[other]
    clerk = office.as_("issuer")
    clients = {name: office.as_(name) for name in presses}
    for row in office.world.certificates():
        asked = {"management_no": row.management_no, "ground": "false-materials", "basis": "示例依据"}
        case = clerk.post("/api/v1/invalidations", json=asked).json()["id"]
        answers = race(
            *(
                lambda who=who, act=act, case=case: clients[who].post(
                    f"/api/v1/invalidations/{case}/{act}", json=body or None
                )
                for who, act in presses.items()
            )
        )
        won, lost = sorted(answers, key=lambda answer: answer.status_code)  # type: ignore[attr-defined]
        assert (won.status_code, lost.status_code) == (200, 409), answers  # type: ignore[attr-defined]
        problem = lost.json()  # type: ignore[attr-defined]
        assert (problem["code"], problem["clause"]) == ("case-already-decided", "R10")
        assert lost.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
        state = won.json()["state"]  # type: ignore[attr-defined]
        status = office.world.certificate(row.management_no).status
        assert (state, status) in (("applied", "invalid"), ("rejected", "valid"))
