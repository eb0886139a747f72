"""Two workers at one certificate: the latest attempt counts, and a late one changes nothing and leaves nothing."""

from issuer.issuance.intent import PressOrder, intend
from issuer.issuance.publish import publish_checked, record_outcomes
from issuer.issuance.workers import Outcome, make
from tests.factories.world import PROPOSER, World


def begin(world: World) -> PressOrder:
    """One more attempt at the first registration."""
    number = world.registrations()[0].id
    (order,) = intend(world.ctx, PROPOSER, world.sitting, [number]).orders
    return order


def pressed(world: World, order: PressOrder) -> Outcome:
    """Sealed and stored, not yet written down."""
    return make(world.ctx.room(), world.ctx.storage, "B-B", order, None)


def publish(world: World, order: PressOrder) -> int:
    """How many were published."""
    published, _ = publish_checked(world.ctx, PROPOSER, world.sitting, [order.certificate_id])
    return len(published)


def test_a_frozen_worker_that_wakes_after_publication_changes_nothing(eligible_world: World) -> None:
    ctx = eligible_world.ctx
    frozen = begin(eligible_world)
    other = begin(eligible_world)
    assert (frozen.certificate_id, frozen.content.token) == (other.certificate_id, other.content.token)
    record_outcomes(ctx, PROPOSER, [pressed(eligible_world, other)])
    assert publish(eligible_world, other) == 1
    (before,) = eligible_world.certificates()

    late = pressed(eligible_world, frozen)
    assert ctx.storage.exists(late.file_key)
    assert record_outcomes(ctx, PROPOSER, [late]) == []
    assert publish(eligible_world, frozen) == 0
    (after,) = eligible_world.certificates()
    assert (after.file_key, after.file_sha256) == (before.file_key, before.file_sha256)
    assert eligible_world.pdf(after), "the published file is still the one on record"
    assert not ctx.storage.exists(late.file_key)


def test_an_overtaken_attempt_does_not_count_even_if_it_is_first(eligible_world: World) -> None:
    ctx = eligible_world.ctx
    slow = begin(eligible_world)
    latest = begin(eligible_world)
    record_outcomes(ctx, PROPOSER, [pressed(eligible_world, slow)])
    assert publish(eligible_world, slow) == 0
    record_outcomes(ctx, PROPOSER, [pressed(eligible_world, latest)])
    assert publish(eligible_world, latest) == 1
    assert len(ctx.storage.list("certificates")) == 1


def test_a_recorded_file_is_not_exchanged_for_another_s(eligible_world: World) -> None:
    ctx = eligible_world.ctx
    first = pressed(eligible_world, begin(eligible_world))
    record_outcomes(ctx, PROPOSER, [first])
    again = pressed(eligible_world, begin(eligible_world))
    record_outcomes(ctx, PROPOSER, [again])
    assert publish(eligible_world, again.order) == 1
    (row,) = eligible_world.certificates()
    assert row.file_key == first.file_key
    assert ctx.storage.list("certificates") == (first.file_key,)
