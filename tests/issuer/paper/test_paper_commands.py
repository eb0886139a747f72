"""`ecert paper …` on a data folder: each command says what it did, refusals end with exit code 2 and the clause."""

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from issuer.cli import run
from tests.factories.office import staff_up
from tests.factories.paper_office import CLERK, HOME, make_paper, serial_of
from tests.factories.world import World


def ask(
    capsys: pytest.CaptureFixture[str], world: World, *words: str, who: str = "issuer"
) -> tuple[int, dict[str, object]]:
    """(exit code, what --json said)."""
    capsys.readouterr()
    code = run(["paper", *words, "--as", who, "--data-dir", str(world.folder), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_desk_from_the_command_line(
    eligible_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = eligible_world
    make_paper(world)
    staff_up(world)
    serial = serial_of(world, world.people[0].admission_no)
    from issuer.paper import mail

    mail.book(world.ctx, CLERK, serial, HOME)
    world.close()
    programme = world.sitting.split("-")[0]

    code, receipt = ask(capsys, world, "stock", "receive", "X001", "X005", "--programme", programme)
    assert (code, receipt["state"]) == (0, "counted")
    code, refused = ask(capsys, world, "stock", "confirm", str(receipt["id"]), "--count", "5")
    assert (code, refused["error"]["code"], refused["error"]["clause"]) == (2, "two-people", "R16")  # type: ignore[index]
    assert ask(capsys, world, "stock", "confirm", str(receipt["id"]), "--count", "5", who="reviewer")[0] == 0
    assert ask(capsys, world, "print", "--sitting", world.sitting, "--plan")[1]["already"] == 8

    courier = tmp_path / "courier.xlsx"
    assert ask(capsys, world, "courier-list", "--sitting", world.sitting, str(courier))[1]["rows"] == 1
    assert courier.stat().st_mode & 0o77 == 0, "addresses are the owner's alone to read"
    book = load_workbook(courier)
    sheet = book.active
    assert sheet is not None
    sheet.cell(2, 7, "SF0000000001")
    book.save(tmp_path / "back.xlsx")
    code, report = ask(capsys, world, "waybills", str(tmp_path / "back.xlsx"), "--sitting", world.sitting)
    assert (code, report["assigned"], report["findings"]) == (0, 1, [])

    other = serial_of(world, world.people[1].admission_no)
    world.close()
    code, alarm = ask(capsys, world, "pack", other, "SF0000000001")
    assert (code, alarm["error"]["code"]) == (2, "wrong-envelope")  # type: ignore[index]
    assert ask(capsys, world, "pack", serial, "SF0000000001")[0] == 0
    assert ask(capsys, world, "post", "SF0000000001")[1]["state"] == "posted"
    assert ask(capsys, world, "returned", "SF0000000001")[1]["state"] == "returned"
    assert ask(capsys, world, "resend", serial)[1]["error"]["code"] == "address-not-mended"  # type: ignore[index]
    assert ask(capsys, world, "store", "BOX-9", serial)[1]["state"] == "safekeeping"
    (line,) = ask(capsys, world, "due")[1]["due"]  # type: ignore[misc]
    assert line["boxes"] == {"BOX-9": 1}
    code, refused = ask(capsys, world, "register", "open", "--sitting", world.sitting)
    assert (code, refused["error"]["clause"]) == (2, "R13")  # type: ignore[index]
    assert {queue["queue"] for queue in ask(capsys, world, "queues")[1]["queues"]} == {"awaiting-holder", "kept"}  # type: ignore[union-attr]
    assert ask(capsys, world, "show", serial)[1]["box"] == "BOX-9"
    run(["paper", "queues", "--as", "issuer", "--data-dir", str(world.folder)])
    assert "代为保管" in capsys.readouterr().out
