"""One ceremony for all tests that only read; a fresh copy for those that change it."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys.private.ceremony import hold_ceremony
from keys.public.keyset import KeySet, load_key_set

PASSPHRASE = "correct horse"
# Yesterday: some judges look at the machine's clock and nothing else.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key folder after a ceremony at NOW. Not to be changed."""
    keys_dir = tmp_path_factory.mktemp("held") / "keys"
    hold_ceremony(keys_dir, PASSPHRASE, now=NOW)
    return keys_dir


@pytest.fixture
def key_set(held: Path) -> KeySet:
    return load_key_set(held)


@pytest.fixture
def keys_dir(held: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(held, tmp_path / "keys"))


@pytest.fixture
def passphrase() -> str:
    return PASSPHRASE


@pytest.fixture
def now() -> datetime:
    return NOW
