"""Every code of the private side leads to a page that says how to mend it."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from issuer.app import belongs_to_issuer
from issuer.mending import _said_in, _sources, catalogue, help_of
from tests.factories.office import Office
from verifier.web.problems import PROBLEM_TYPES

ROOT = Path(__file__).parents[2]
# Looked for by form and not by name: the first text in whatever is raised, returned or refused.
RAISED = re.compile(
    r"(?:raise |return |_refuse|refuse_)[A-Za-z_.]*(?:Error|Violation|Issued|refuse\w*|_refuse\w*)?\(\s*"
    r"(?:\"R1?[0-9]\",\s*|clause,\s*)?\"([a-z]+(?:-[a-z0-9]+)+)\"\s*,"
)


def codes() -> set[str]:
    found = set()
    for file in (ROOT / "issuer").rglob("*.py"):
        if "migrations" not in file.parts:
            found |= set(RAISED.findall(file.read_text(encoding="utf-8")))
    return found


def test_every_code_that_is_raised_has_its_page() -> None:
    known = catalogue()
    assert len(codes()) > 120
    assert codes() - set(known) == set()
    for code, help in known.items():
        assert help.mend, code
        assert all(zh.strip() and en.strip() for zh, en in (*help.said, *help.mend)), code
        assert any(re.search(r"[一-鿿]", zh) for zh, _ in help.mend), code


def test_the_codes_of_lists_that_are_sent_back_have_their_pages() -> None:
    known = catalogue()
    for kind in ("list", "decisions", "waybills", "comparison", "watch-list"):
        for what in ("not-found", "empty", "too-large", "too-many-rows", "header-missing"):
            assert f"{kind}-{what}" in known
            page = help_of(f"{kind}-{what}")
            assert page is not None
            assert page.said
            assert page.mend
    assert help_of("comparison-no-rows") is not None


@pytest.fixture
def anybody(reading_office: Office) -> TestClient:
    """Somebody without an account."""
    return reading_office.anybody()


def test_every_page_is_served_in_both_languages(anybody: TestClient) -> None:
    for code, help in catalogue().items():
        answer = anybody.get(f"/help/{code}")
        assert answer.status_code == 200, code
        assert code in answer.text
        assert 'lang="en"' in answer.text
        assert code in PROBLEM_TYPES or belongs_to_issuer(f"/help/{code}"), code
        assert len(help.mend) >= 1
    assert anybody.get("/help/nothing-of-ours").status_code == 404


def test_the_type_of_a_real_problem_leads_there(anybody: TestClient) -> None:
    answer = anybody.get("/api/v1/batches")
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert anybody.get(answer.json()["type"]).status_code == 200
    missing = anybody.get("/api/v1/nothing-here")
    assert anybody.get(missing.json()["type"]).status_code == 200


def test_the_public_sides_codes_keep_its_pages() -> None:
    for slug in PROBLEM_TYPES:
        assert not belongs_to_issuer(f"/help/{slug}")


def test_one_page_reads_only_the_files_that_name_its_code() -> None:
    for keep in (help_of, _said_in):
        keep.cache_clear()
    assert help_of("certificate-not-found") is not None
    parsed = _said_in.cache_info().currsize
    assert 0 < parsed < len(_sources()) / 20
    for nothing in ("nothing-of-the-kind", "Not-A-Code", "a" * 5000, '"', "name"):
        assert help_of(nothing) is None, nothing
    for code, page in catalogue().items():
        assert help_of(code) == page
