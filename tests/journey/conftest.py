"""One demo for all that is handed in by mistake or malice: its folder, its server, its token."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.factories.bad_files import FOREIGN_PDFS, bad_pdfs, bad_workbooks
from tests.factories.bad_input_target import Target
from tests.factories.command_line import CommandLine
from tests.factories.stored_rows import digest_of_rows


@pytest.fixture(scope="package")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    ecert = CommandLine(tmp_path_factory.mktemp("bad") / "data")
    summary = ecert.ask("demo", "--no-serve", "--people", 3, "--data-dir", ecert.folder)
    # Otherwise the server would begin the day's stock-take while rows are compared.
    ecert.ask("stock-take")
    token = ecert.ask("staff", "token", "demo-proposer", "--label", "test")["token"]
    with ecert.serving() as base_url, httpx.Client(base_url=base_url, timeout=200) as web:
        web.get("/healthz").raise_for_status()
        yield Target(ecert, web, token, summary["certificates"][0], digest_of_rows(ecert.folder))


@pytest.fixture(scope="package")
def pdfs(target: Target, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Everything that is not one of our certificates."""
    genuine = Path(target.line["pdf"]).read_bytes()
    made = dict(bad_pdfs(tmp_path_factory.mktemp("pdfs"), genuine))
    return made | {f"foreign {path.stem}": path for path in FOREIGN_PDFS}


@pytest.fixture(scope="package")
def workbooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return dict(bad_workbooks(tmp_path_factory.mktemp("workbooks")))
