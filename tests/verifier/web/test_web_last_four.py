"""The last four of the ID number as a third thing to match: optional, uniform when wrong, telling nothing."""

from collections import Counter

import pytest
from limits import parse_many
from starlette.testclient import TestClient

from issuer.rules.identity import canonical_id
from tests.factories.public_register import LAST_FOUR, LOOKUP_KEY, PublicRegister
from tests.factories.world import World
from verifier.record.lookup import identity_digest
from verifier.record.verdict import Verdict
from verifier.web.rates import ENDINGS_PER_NUMBER


def ask(client: TestClient, **fields: str) -> tuple[int, dict[str, object]]:
    answer = client.post("/api/v1/lookup", json=fields)
    return answer.status_code, {key: value for key, value in answer.json().items() if key != "as_of"}


def test_all_three_match_or_nothing_is_said(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    right = {"management_no": one.claims.management_no, "name": one.claims.name}
    status, body = ask(client, **right, last_four=LAST_FOUR.lower())
    assert (status, body["verdict"]) == (200, "valid")
    assert "last-four-matches" in [check["code"] for check in body["checks"]]  # type: ignore[attr-defined]
    assert ask(client, **right, last_four="")[1]["verdict"] == "valid"
    refused = [
        ask(client, **right, last_four="9999"),
        ask(client, **right | {"name": "别人"}, last_four=LAST_FOUR),
        ask(client, **right | {"management_no": "1"}, last_four=LAST_FOUR),
        ask(client, **right | {"name": "别人"}),
    ]
    assert refused[0][0] == 404
    assert all(answer == refused[0] for answer in refused), "same body, same status, whatever was wrong"


@pytest.mark.parametrize("ending", ["12", "12345", "12 4", "１２３４"])
def test_an_ending_that_is_none(client: TestClient, register: PublicRegister, ending: str) -> None:
    one = register.publish()
    status, body = ask(client, management_no=one.claims.management_no, name=one.claims.name, last_four=ending)
    assert (status, body["verdict"]) == (422, "malformed")


def test_where_it_is_not_on_record_nothing_is_confirmed(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    register.forget_ending(one.token)
    right = {"management_no": one.claims.management_no, "name": one.claims.name}
    status, body = ask(client, **right, last_four=LAST_FOUR)
    assert (status, body["verdict"]) == (503, "status_unknown")
    assert ask(client, **right)[1]["verdict"] == "valid"


def test_not_even_the_key_tells_how_somebodys_number_ends() -> None:
    """Of all endings there are, about eleven have the same digest: what is not known cannot be found by trying."""
    endings = [f"{number:03}{check}" for number in range(1000) for check in "0123456789X"]
    found = Counter(identity_digest(LOOKUP_KEY, "20254100000000001", "示例甲", ending) for ending in endings)
    assert 5 < found[identity_digest(LOOKUP_KEY, "20254100000000001", "示例甲", "123X")] < 25
    assert min(found.values()) > 1
    assert len(found) == 1024


def test_certificates_are_published_with_it(issued_world: World) -> None:
    certificate, person = issued_world.certificates()[0], issued_world.people[0]
    checker = issued_world.checker()
    ending = canonical_id(person.id_no)[-4:]
    assert checker.check_number(certificate.management_no, person.name, ending).verdict is Verdict.VALID

    def digest(text: str) -> str:
        return identity_digest(issued_world.ctx.lookup_key, certificate.management_no, person.name, text)

    # One in 1,024 has the same digest; which ones, the key decides, and it is another in every run.
    wrong = [text for number in range(40) if digest(text := f"{number:04}") != digest(ending)]
    verdicts = Counter(checker.check_number(certificate.management_no, person.name, text).verdict for text in wrong)
    assert verdicts == {Verdict.NOT_FOUND: len(wrong)}


def test_endings_cannot_be_tried_from_many_addresses(
    client: TestClient, register: PublicRegister, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong ending passes once in 1,024; no number of addresses or proofs of work gives that many answers."""
    for name in ("LOOKUPS_PER_ADDRESS", "LOOKUPS_PER_NUMBER"):
        monkeypatch.setattr(f"verifier.web.desk.{name}", "100000/minute")
    one, other = register.publish(), register.publish()
    right = {"management_no": one.claims.management_no, "name": one.claims.name}
    guesses = [ask(client, **right, last_four=f"{number:04}") for number in range(60)]
    answered = [status for status, _ in guesses if status != 429]
    allowed = min(item.amount for item in parse_many(ENDINGS_PER_NUMBER))
    assert len(answered) == allowed
    daily = next(item.amount for item in parse_many(ENDINGS_PER_NUMBER) if item.get_expiry() == 86_400)
    assert daily * 25 < 1024, "not one that passes in three weeks, on average"
    assert ask(client, **right, last_four=LAST_FOUR) == guesses[-1], (
        "the right one is answered no better than a guess"
    )
    assert ask(client, **right)[1]["verdict"] == "valid", "without an ending it is answered as before"
    fields = {"management_no": other.claims.management_no, "name": other.claims.name, "last_four": LAST_FOUR}
    assert ask(client, **fields)[1]["verdict"] == "valid"
    unknown = [ask(client, management_no="1", name="某", last_four="0000")[0] for _ in range(allowed + 1)]
    assert unknown == [404] * allowed + [429], "a number nobody has is counted like any other"
