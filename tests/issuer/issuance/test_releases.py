"""Two releases of the program at one certificate: the page that was published is the one on record."""

import pytest

import issuer.issuance.intent
from issuer.issuance.intent import intend
from issuer.issuance.publish import publish_checked, record_outcomes
from issuer.issuance.workers import make
from templates.certificate.wording import template_version
from tests.factories.world import PROPOSER, World


def test_a_draft_of_another_release_is_recorded_with_the_template_that_drew_it(
    eligible_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = eligible_world.ctx
    number = eligible_world.registrations()[0].id
    with monkeypatch.context() as older:
        older.setattr(issuer.issuance.intent, "template_version", lambda _name: "of the older release")
        (begun,) = intend(ctx, PROPOSER, eligible_world.sitting, [number]).orders
    assert begun.template_version == "of the older release"
    (order,) = intend(ctx, PROPOSER, eligible_world.sitting, [number]).orders
    assert order.certificate_id == begun.certificate_id
    record_outcomes(ctx, PROPOSER, [make(ctx.room(), ctx.storage, "B-B", order, None)])
    publish_checked(ctx, PROPOSER, eligible_world.sitting, [order.certificate_id])
    (certificate,) = eligible_world.certificates()
    assert certificate.template_version == template_version("default")
