"""docs/regulation.md says what is so: every clause has its file, every name in it exists, and it is up to date."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from typer.main import get_command

import issuer
from issuer.cli import app
from tests.regulation.table import HERE, PAGE, Proof, page, proofs

PROOFS = proofs()
each = pytest.mark.parametrize("proof", PROOFS, ids=[proof.clause.id for proof in PROOFS])


def addresses() -> set[str]:
    """Every address of the private side, as its routers declare it."""
    found: set[str] = set()
    for package in ("announcements", "api", "console", "holders", "sharing"):
        inside = importlib.import_module(f"issuer.{package}").__path__
        for module in pkgutil.iter_modules(inside, f"issuer.{package}."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, APIRouter):
                    found |= {getattr(route, "path", "") for route in value.routes}
    return found


def commands() -> set[str]:
    """Every command, as it is typed after `ecert`."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(words)
        else:
            for name, child in inner.items():
                yield from walk(child, (*words, name))

    return set(walk(get_command(app), ()))


ADDRESSES, COMMANDS = addresses(), commands()


def test_every_clause_has_one_file() -> None:
    assert [proof.clause.id for proof in PROOFS] == [f"R{number}" for number in range(1, 17)]


@each
def test_what_the_table_names_exists(proof: Proof) -> None:
    clause = proof.clause
    number = f"test_r{int(clause.id[1:]):02}"
    assert proof.file.stem.startswith(f"{number}_")
    assert proof.tests and all(test.startswith(f"{number}_") for test in proof.tests)
    assert clause.rules and all(rule.__module__.startswith(f"{issuer.__name__}.") for rule in clause.rules)
    assert set(clause.screens) <= ADDRESSES, set(clause.screens) - ADDRESSES
    assert set(clause.commands) <= COMMANDS, set(clause.commands) - COMMANDS
    root = HERE.parents[1]
    assert all((root / Path(test)).is_file() for test in clause.more_tests)


@each
def test_every_event_of_the_table_was_seen_in_the_trail(proof: Proof) -> None:
    assert proof.clause.events
    assert proof.required == set(proof.clause.events)


def test_the_page_is_as_the_tests_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(PROOFS), "run: make regulation"
