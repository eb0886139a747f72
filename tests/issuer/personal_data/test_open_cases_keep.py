"""What counts as an open case when data is to be erased: what the queues own, hearings and statements undecided."""

import pytest

from issuer.personal_data.about import is_open
from issuer.records.reviews import EligibilityReview


@pytest.mark.parametrize(
    ("table", "row", "open_"),
    [
        ("eligibility_reviews", {"round": "first", "outcome": "conditions-pending"}, True),
        ("eligibility_reviews", {"round": "first", "outcome": "ineligible"}, False),
        ("objections", {"resolved_at": None}, True),
        ("objections", {"resolved_at": "2026-01-01"}, False),
        ("defence_statements", {"decided_at": None}, True),
        ("defence_statements", {"decided_at": "2026-01-01"}, False),
        ("invalidations", {"state": "proposed"}, True),
        ("invalidations", {"state": "applied"}, False),
        ("corrections", {"state": "approved"}, True),
        ("corrections", {"state": "refused"}, False),
        ("paper_replacement_requests", {"state": "accepted", "approved_by": None}, True),
        ("paper_replacement_requests", {"state": "accepted", "approved_by": "second"}, True),
        ("paper_replacement_requests", {"state": "refused", "approved_by": None}, False),
        ("data_objections", {"state": "open", "matter": "watch"}, True),
        ("data_objections", {"state": "accepted", "matter": "name"}, False),
        ("hearings", {"state": "held"}, True),
        ("hearings", {"state": "moot"}, False),
        ("mail_bookings", {"state": "open"}, True),
        ("mail_bookings", {"state": "closed"}, False),
        ("erasures", {"state": "proposed"}, False),
        ("e_certificates", {"state": "published"}, False),
    ],
)
def test_a_row_is_open_as_the_rules_say(table: str, row: dict[str, object], open_: bool) -> None:
    assert is_open(table, row, void=False) is open_


def test_r9_a_review_of_a_registration_that_fell_waits_for_nobody() -> None:
    row = {"round": "first", "outcome": "awaiting"}
    assert is_open(EligibilityReview.__tablename__, row, void=False)
    assert not is_open(EligibilityReview.__tablename__, row, void=True)
