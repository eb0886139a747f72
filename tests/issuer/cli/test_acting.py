"""What commands of staff share: three options beside their own, one answer for programs and people, own files."""

import json
import stat
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from issuer.acting import Acting, acting
from issuer.cli import run as ecert
from issuer.errors import InputError, NotFoundError
from issuer.own_files import write_own_file

app = typer.Typer(rich_markup_mode=None)


@app.callback()
def _root() -> None:
    """Keep the sub-command's name."""


@app.command("greet")
@acting
def _greet(
    at: Acting,
    whom: Annotated[str, typer.Argument(help="whom to greet")],
    loud: Annotated[bool, typer.Option()] = False,
) -> None:
    """Greet somebody."""
    lines = [f"{at.actor.username} greets {whom}", "and is done"] if loud else f"{whom}?"
    at.tell({"whom": whom, "as": at.actor.username, "folder": at.ctx.settings.data_dir.name}, lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office that was just set up."""
    made = tmp_path_factory.mktemp("acting") / "office"
    assert ecert(["init", "--data-dir", str(made)]) == 0
    return made


def test_a_command_has_its_own_options_and_the_three_of_all() -> None:
    words = CliRunner().invoke(app, ["greet", "--help"], env={"NO_COLOR": "1"}).stdout
    for option in ("whom to greet", "--loud", "--data-dir", "--as", "--json", "Greet somebody."):
        assert option in words


def test_its_answer_is_lines_for_people_and_json_for_programs(folder: Path) -> None:
    run = CliRunner().invoke
    assert run(app, ["greet", "A", "--data-dir", str(folder)]).stdout == "A?\n"
    loud = run(app, ["greet", "A", "--loud", "--data-dir", str(folder)]).stdout.splitlines()
    assert loud[0].endswith(" greets A")
    assert loud[1:] == ["and is done"]
    told = json.loads(run(app, ["greet", "A", "--json", "--data-dir", str(folder)]).stdout)
    assert (told["whom"], told["folder"]) == ("A", "office")
    assert told["as"].startswith("local:")


def test_an_unknown_account_is_refused_before_the_command_begins(folder: Path) -> None:
    done = CliRunner().invoke(app, ["greet", "A", "--as", "nobody", "--data-dir", str(folder)])
    assert isinstance(done.exception, NotFoundError)
    assert done.stdout == ""


def test_a_file_is_new_and_its_owners_alone(tmp_path: Path) -> None:
    target = tmp_path / "list.xlsx"
    write_own_file(target, b"names")
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"names", 0o600)
    for unusable in (target, tmp_path / "missing" / "list.xlsx"):
        with pytest.raises(InputError) as refused:
            write_own_file(unusable, b"other")
        assert refused.value.code == "target-unusable"
    assert target.read_bytes() == b"names"
