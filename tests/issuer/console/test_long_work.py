"""Reckoning that takes long is begun by a page, followed, and shown once; it is its owner's alone."""

import re
import threading
from concurrent.futures import CancelledError

import pytest

from issuer.console import audit, batches
from issuer.long_work import LongWorks, Tell
from tests.factories.office import Office


def finish(office: Office, username: str, page: str) -> str:
    """Wait for the work that a page follows; its name."""
    name = re.findall(r'data-watch="/console/working/([^"]+)"', page)[0]
    work = office.world.ctx.works.named(username, name)
    assert work is not None
    work.future.exception(timeout=120)
    return name


@pytest.mark.parametrize(
    ("username", "address", "shown", "module"),
    [
        ("issuer", "/console/sittings/{sitting}/issue", "已发布", batches),
        ("auditor", "/console/audit?check=true", "哈希链完整", audit),
    ],
)
def test_a_page_follows_long_work_and_shows_what_came_of_it(
    office: Office,
    gate: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    username: str,
    address: str,
    shown: str,
    module: object,
) -> None:
    monkeypatch.setattr(module, "FEW", 0)
    address = address.format(sitting=office.world.sitting)
    desk = office.desk(username)
    first = desk.get(address)
    assert first.status_code == 200
    assert "/console/static/batch.js" in first.text
    assert '<noscript><meta http-equiv="refresh"' in first.text
    assert shown not in first.text
    gate.set()
    name = finish(office, username, first.text)
    assert 'id="working"' not in desk.get(f"/console/working/{name}/progress").text
    assert '"state": "done"' in desk.get(f"/console/working/{name}/events").text
    assert shown in desk.get(address).text
    gate.clear()
    assert 'id="working"' in desk.get(address).text, "shown once; then worked out anew"


def test_a_small_plan_is_on_the_page_at_once(office: Office) -> None:
    page = office.desk("issuer").get(f"/console/sittings/{office.world.sitting}/issue").text
    assert "已发布" in page
    assert 'id="working"' not in page


def test_nobody_follows_the_work_of_another(office: Office) -> None:
    go_on = threading.Event()
    works = office.world.ctx.works

    def wait(tell: Tell) -> int:
        tell(3, 10)
        go_on.wait(120)
        return 7

    work = works.ask("issuer", "something", wait)
    try:
        assert works.ask("issuer", "something", wait) is work
        assert works.ask("approver", "something", lambda _tell: 1) is not work
        assert works.named("approver", work.name) is None
        assert 'id="working"' not in office.desk("approver").get(f"/console/working/{work.name}/progress").text
        assert 'id="working"' in office.desk("issuer").get(f"/console/working/{work.name}/progress").text
    finally:
        go_on.set()
    assert (work.future.result(timeout=120), work.done, work.total) == (7, 3, 10)


def test_an_error_is_raised_to_whoever_fetches_the_result() -> None:
    works = LongWorks()

    def fail(_tell: Tell) -> None:
        raise LookupError("gone")

    work = works.ask("issuer", "it", fail)
    assert isinstance(work.future.exception(timeout=120), LookupError)
    again = works.ask("issuer", "it", fail)
    assert again is work
    with pytest.raises(LookupError):
        again.result()
    assert works.ask("issuer", "it", fail) is not work
    works.close()


def test_closing_gives_up_what_is_under_way() -> None:
    works, begun = LongWorks(), threading.Event()

    def forever(tell: Tell) -> None:
        while True:
            begun.set()
            tell(1, 2)

    work = works.ask("auditor", "chain", forever)
    assert begun.wait(120)
    works.close()
    assert isinstance(work.future.exception(timeout=120), CancelledError)
