"""Both applications held to their own OpenAPI descriptions by generated requests: `make schemathesis`.

Every operation gets requests that fit its description and requests that do not, with invented and with real
identifiers, private ones in every role. Wrong is an answer 5xx, or one whose status, media type or body is not the
described one.
"""

import argparse
import contextlib
import itertools
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import StopTest, Unsatisfiable, UnsatisfiedAssumption
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories.office import USERNAMES, office_over
from tests.factories.world import World
from verifier.settings import VerifierSettings
from verifier.web.app import create_app

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
_TRIES = 40
"""After so many tries without a single request an operation has none of that mode; all others have one within 4."""


class _NoRequest(BaseException):
    """No request of the wanted mode can be made: an operation without parameters has none that does not fit.

    Not an Exception: hypothesis would take that for a finding and look for it again.
    """


@dataclass
class Found:
    """`requests` sent, `operations` walked, `failures` by operation."""

    requests: int = 0
    operations: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def walk(
    schema: Any, each: int, values: dict[str, list[str]], headers: st.SearchStrategy[dict[str, str]], only: str = ""
) -> Found:
    """`each` requests of either mode to every operation. `values`: real identifiers by name of path parameter."""
    found = Found()
    for result in schema.get_all_operations():
        operation = result.ok()
        if only not in operation.label:
            continue
        found.operations += 1
        for mode in _MODES:
            try:
                strategy = operation.as_strategy(generation_mode=mode)
                _requests(strategy, each, values, headers, found)
            except FailureGroup as failures:
                found.failures[operation.label] = "\n".join(str(failure) for failure in failures.exceptions)
            except Exception as error:  # noqa: BLE001 - an operation that cannot be asked is a finding of its own
                found.failures[operation.label] = f"{type(error).__name__}: {error}"
    return found


def _requests(
    strategy: st.SearchStrategy[Any],
    each: int,
    values: dict[str, list[str]],
    headers: st.SearchStrategy[dict[str, str]],
    found: Found,
) -> None:
    before, tried = found.requests, itertools.count()

    @st.composite
    def cases(draw: st.DrawFn) -> Any:
        try:
            return draw(strategy)
        except (UnsatisfiedAssumption, StopTest):
            if next(tried) >= _TRIES and found.requests == before:
                raise _NoRequest from None
            raise

    @given(case=cases(), real=st.integers(0, 5), more=headers)
    @settings(
        max_examples=each,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, real: int, more: dict[str, str]) -> None:
        for name in set(values) & set(case.path_parameters or {}) if real else ():
            case.path_parameters[name] = values[name][real % len(values[name])]
        found.requests += 1
        case.call_and_validate(checks=CHECKS, headers=more)

    with contextlib.suppress(_NoRequest, Unsatisfiable):
        ask()


def verifier_findings(world: World, each: int, only: str = "") -> Found:
    """The public application over a world."""
    app = create_app(
        VerifierSettings(data_dir=world.folder, verify_base_url=world.settings.verify_base_url), clock=world.clock.now
    )
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", _from_everywhere(app))
    certificates = world.certificates()
    values = {
        "token": [certificate.token for certificate in certificates],
        "sha256": [certificate.file_sha256 or "" for certificate in certificates],
        "list_id": ["1", "1.jwt", "2"],
    }
    return walk(schema, each, values, st.just({"Host": "127.0.0.1:8000"}), only)


def issuer_findings(world: World, each: int, only: str = "") -> Found:
    """The private application over a world, in every role."""
    with office_over(world) as office:
        schema = schemathesis.openapi.from_asgi("/console/openapi.json", _from_everywhere(office.app))
        values = {
            "management_no": [certificate.management_no for certificate in world.certificates()],
            "code": [world.sitting],
            "sitting": [world.sitting],
            "sitting_code": [world.sitting],
        }
        numbers = itertools.count()
        people = st.sampled_from(sorted(USERNAMES))
        headers = people.map(
            lambda name: {
                "Authorization": f"Bearer {office.tokens[name]}",
                "Idempotency-Key": f"k-{next(numbers):08}",
            }
        )
        return walk(schema, each, values, headers, only)


def _from_everywhere(app: Any) -> Callable[..., Awaitable[None]]:
    """Every request from another address: what is asked here is the description, not the limits."""
    numbers = itertools.count()

    async def asked(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            number = next(numbers)
            scope = {**scope, "client": (f"198.18.{number // 250 % 250}.{number % 250}", 1)}
        await app(scope, receive, send)

    return asked


@contextmanager
def _world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="ecert-openapi-") as name:
        world = World.eligible(Path(name) / "data")
        world.issue()
        yield world
        world.close()


def main() -> None:
    """Run and print; the last line is JSON; exit 1 when anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=100, help="requests of either mode to every operation")
    parser.add_argument("--only", default="", help="operations whose method and path contain this")
    parser.add_argument("--side", choices=("verifier", "issuer", "both"), default="both")
    asked = parser.parse_args()
    sides = {"verifier": verifier_findings, "issuer": issuer_findings}
    outcome: dict[str, Any] = {}
    failed = False
    for side, run in sides.items():
        if asked.side not in (side, "both"):
            continue
        with _world() as world:
            found = run(world, asked.each, asked.only)
        for label, text in found.failures.items():
            print(f"--- {side} {label}\n{text}")
        failed = failed or bool(found.failures)
        counted = {"operations": found.operations, "requests": found.requests, "failures": len(found.failures)}
        outcome[side] = counted
    print(json.dumps(outcome))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
