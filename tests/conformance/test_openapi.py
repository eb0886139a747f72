"""Generated requests to every operation of both applications: `make schemathesis` in small."""

from tests.conformance.openapi import issuer_findings, verifier_findings
from tests.factories.world import World


def test_the_public_application_keeps_to_its_description(world_copy: World) -> None:
    found = verifier_findings(world_copy, each=6)
    assert not found.failures
    assert found.operations >= 12
    assert found.requests > 5 * found.operations


def test_the_private_application_keeps_to_its_description(world_copy: World) -> None:
    found = issuer_findings(world_copy, each=1)
    assert not found.failures
    assert found.operations >= 48
    assert found.requests > found.operations
