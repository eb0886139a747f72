"""100,000 rows in one file within 512 MiB."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_a_hundred_thousand_rows_are_imported_within_512_mib(tmp_path: Path) -> None:
    program = Path(__file__).with_name("hundred_thousand.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path), "100000"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout)
    assert (figures["imported"], figures["rejected"]) == (100_000, 0)
    assert figures["peak_mib"] < 512, figures
