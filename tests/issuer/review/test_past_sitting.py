"""A sitting whose days are all past, entered by the command line from its roster to its certificates."""

import json
from pathlib import Path
from typing import Any

import pytest

from issuer.cli import run
from tests.factories.roster_files import SITTING, invent, write_roster


def test_a_past_sitting_is_entered_from_import_to_issue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write_roster(tmp_path / "in", invent(2))

    def ecert(*words: str | Path, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        said = run([*map(str, words), "--data-dir", str(tmp_path / "d"), "--json"])
        out = json.loads(capsys.readouterr().out)
        assert said == code, out
        return dict(out)

    of = ("--sitting", SITTING)
    ecert("init")
    ecert("sitting", "define", files.sitting_toml)
    assert ecert("roster", "import", files.xlsx, *of, "--photos", files.photos_zip)["imported"] == 2
    refused = ecert("review", "open-notice", *of, code=2)
    assert refused["error"]["code"] == "notice-past-deadlines" and "--on" in str(refused)
    opened = ecert("review", "open-notice", *of, "--on", "2025-08-25")
    assert (opened["opens_on"], opened["closes_on"]) == ("2025-08-25", "2025-09-04")
    decided = ("review", "decide", "--all-eligible", "--yes", *of, "--round", "first")
    assert ecert(*decided, "--on", "2025-09-09")["moved"] == {"合格": 2}
    plan = ecert("issue", *of, "--plan")
    assert (plan["new"], plan["refused"]) == (2, [])
    assert ecert("issue", *of, "--apply", plan["digest"], "--workers", "1")["published"] == 2
