"""Every page of the console over a crowd: small enough, and none left out; the crowd's audit chain is a true one."""

from pathlib import Path

import pytest

from issuer.audit import verify_chain
from tests.benchmarks import console_scale
from tests.benchmarks.console_scale import MOST_KB, Crowded, ask_all
from tests.factories.candidates import SITTING
from tests.factories.model_office import PEOPLE
from tests.factories.office import office_over


def test_every_page_of_a_crowded_office_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_scale, "ROLES", ("issuer", "auditor", "operator"))
    monkeypatch.setitem(PEOPLE, SITTING, 20)
    crowded = Crowded(tmp_path, 800, None)
    world = crowded.world
    try:
        with world.ctx.database.read() as session:
            report = verify_chain(session)
        assert report.intact
        assert report.events > 800
        with office_over(world) as office:
            found = ask_all(crowded, office, 1, "")
    finally:
        world.close()
    pages = [each for each in found if each.page]
    assert len(pages) > 100
    assert not [(each.address, each.kilobytes) for each in pages if each.kilobytes > MOST_KB]


def test_an_office_that_was_kept_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEOPLE, SITTING, 20)
    filled = Crowded(tmp_path, 200, None)
    people, now = len(filled.world.registrations()), filled.world.clock.now()
    with office_over(filled.world) as office:
        seen = office.desk("auditor").get("/console/certificates")
    filled.world.close()

    again = Crowded(tmp_path, 200, None)
    try:
        assert again.world.clock.now() == now
        assert len(again.world.registrations()) == people > 200
        with office_over(again.world) as office:
            assert office.desk("auditor").get("/console/certificates").text == seen.text
    finally:
        again.world.close()
    with pytest.raises(SystemExit, match="another office"):
        Crowded(tmp_path, 300, None)
