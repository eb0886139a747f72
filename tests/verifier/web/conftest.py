"""One register and one application per test; a served one per module for the browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from tests.factories.signing import Bench
from verifier.web.app import create_app


@pytest.fixture(scope="session")
def web_bench() -> Bench:
    """Keys made once: a ceremony takes longer than all the rest."""
    return Bench()


@pytest.fixture
def register(tmp_path: Path, web_bench: Bench) -> PublicRegister:
    """An empty public record on disk."""
    return PublicRegister(tmp_path / "public", base_url="http://testserver", bench=web_bench)


@pytest.fixture
def client(register: PublicRegister) -> Iterator[TestClient]:
    """A program asking a verifier over `register`."""
    with TestClient(create_app(register.settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def browser_client(register: PublicRegister) -> Iterator[TestClient]:
    """A browser's Accept field over the same register, without a browser."""
    accept = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    with TestClient(create_app(register.settings), headers=accept, raise_server_exceptions=False) as client:
        yield client
