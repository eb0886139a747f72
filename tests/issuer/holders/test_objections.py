"""“This is wrong”: said by a holder, answered by staff within reach, read by the holder; and what an act touches."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from issuer.access.actor import Actor
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from issuer.holders.certificate import detail_of, end_watch
from issuer.holders.copies import make_copy
from issuer.holders.objections import (
    answer_objection,
    file_objection,
    list_objections,
    objections_of,
    withdraw_objection,
)
from issuer.holders.sign_in import Holder
from issuer.invalidation.overview import plan_invalidation
from issuer.rules.terms import InvalidationGround, Role
from issuer.sharing.delivery import deliver
from issuer.sharing.watchers import Asked, begin
from tests.factories.copies import PURPOSE, holder_of_certificate
from tests.factories.office import CSRF, Office
from tests.factories.world import APPROVER, AUDITOR, PROPOSER, World
from tests.services.webhook_receiver import Receiver, webhook_receiver

STRANGER = Actor("other.body", frozenset({Role.REVIEW_BODY}), "cli", programmes=frozenset({"OTHER"}))
TEXT = "照片不是本人近照，请更换。"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A watcher's server."""
    with webhook_receiver() as listening:
        yield listening


def own_registration(world: World, which: int = 0) -> tuple[Holder, int]:
    """A holder with the registration behind their certificate."""
    return holder_of_certificate(world, which)[0], world.certificates()[which].registration_id


def test_said_answered_and_read(world_copy: World) -> None:
    holder, registration = own_registration(world_copy)
    ctx = world_copy.ctx
    number = file_objection(ctx, holder, registration, "photo", TEXT)
    with pytest.raises(ConflictError, match="already"):
        file_objection(ctx, holder, registration, "photo", TEXT)
    file_objection(ctx, holder, registration, "name", TEXT)
    assert [row.matter for row in list_objections(ctx, AUDITOR)] == ["photo", "name"]
    assert list_objections(ctx, STRANGER) == [], "another programme's body sees none (R1)"
    for actor, refusal in ((STRANGER, "R1"), (AUDITOR, None), (APPROVER, None)):
        with pytest.raises(NotAllowedError) as refused:
            answer_objection(ctx, actor, number, accepted=True, answer="属实，已转办。")
        assert refused.value.clause == refusal
    answer_objection(ctx, PROPOSER, number, accepted=True, answer="属实，已转办。")
    with pytest.raises(ConflictError, match="closed"):
        answer_objection(ctx, PROPOSER, number, accepted=False, answer="不予更正。")
    newest, oldest = objections_of(ctx, holder)
    assert (oldest.state, oldest.answer, newest.state) == ("accepted", "属实，已转办。", "open")
    withdraw_objection(ctx, holder, newest.id)
    assert file_objection(ctx, holder, registration, "name", TEXT) > newest.id, (
        "a closed one may be followed by another"
    )


def test_nobody_speaks_for_another_and_says_nothing_unreadable(world_copy: World) -> None:
    holder, registration = own_registration(world_copy)
    stranger, _ = own_registration(world_copy, 1)
    ctx = world_copy.ctx
    with pytest.raises(NotFoundError):
        file_objection(ctx, stranger, registration, "photo", TEXT)
    number = file_objection(ctx, holder, registration, "photo", TEXT)
    with pytest.raises(NotFoundError):
        withdraw_objection(ctx, stranger, number)
    for matter, text in (("photo", "短"), ("nothing", TEXT), ("id", "字" * 2001), ("id", "反\u202e向文字")):
        with pytest.raises(InputError):
            file_objection(ctx, holder, registration, matter, text)
    assert objections_of(ctx, stranger) == []


def test_what_an_invalidation_touches_is_counted_and_binds_nothing(world_copy: World, receiver: Receiver) -> None:
    ctx = world_copy.ctx
    ctx.settings = ctx.settings.model_copy(update={"watch_private_addresses": True})
    holder, number = holder_of_certificate(world_copy)
    ground = InvalidationGround.INELIGIBLE_IN_SUPERVISION
    before = plan_invalidation(ctx, PROPOSER, number, ground)
    make_copy(ctx, holder, number, PURPOSE, world_copy.clock.today() + timedelta(days=5))
    begin(ctx, "webhook", receiver.url, "示例单位", Asked(token=world_copy.certificates()[0].token))
    assert plan_invalidation(ctx, PROPOSER, number, ground).watchers == 0, "not confirmed yet"
    deliver(ctx)
    after = plan_invalidation(ctx, PROPOSER, number, ground)
    assert (before.copies_live, before.watchers, after.copies_live, after.watchers) == (0, 0, 1, 1)
    assert before.digest == after.digest


def test_the_holder_sees_who_watches_and_ends_it(world_copy: World, receiver: Receiver) -> None:
    ctx = world_copy.ctx
    ctx.settings = ctx.settings.model_copy(update={"watch_private_addresses": True})
    holder, number = holder_of_certificate(world_copy)
    stranger, _ = holder_of_certificate(world_copy, 1)
    begin(ctx, "webhook", receiver.url, "示例单位", Asked(token=world_copy.certificates()[0].token))
    assert detail_of(ctx, holder, number).watches == (), "not before they confirmed"
    deliver(ctx)
    (watch,) = detail_of(ctx, holder, number).watches
    assert watch.organisation == "示例单位"
    with pytest.raises(NotFoundError):
        end_watch(ctx, stranger, watch.id)
    assert end_watch(ctx, holder, watch.id) == number
    assert end_watch(ctx, holder, watch.id) == number, "a second time changes nothing"
    deliver(ctx)
    assert [call.json["type"] for call in receiver.calls] == ["watch.confirm", "watch.ended"]
    assert detail_of(ctx, holder, number).watches[0].ended_by == "holder"


def test_staff_answer_on_the_page_and_by_api(office: Office) -> None:
    ctx = office.world.ctx
    holder, registration = own_registration(office.world)
    first = file_objection(ctx, holder, registration, "photo", TEXT)
    second = file_objection(ctx, holder, registration, "name", TEXT)
    desk = office.desk("issuer")
    assert TEXT in desk.get("/console/objections").text
    sent = {"csrf": CSRF, "accepted": "false", "text": "经核对，照片与报名一致。"}
    assert desk.post(f"/console/objections/{first}/answer", data=sent).status_code == 303
    client = office.as_("issuer")
    body = {"accepted": True, "answer": "属实，将按程序更正。"}
    assert client.post(f"/api/v1/objections/{second}/answer", json=body).json()["state"] == "accepted"
    assert client.get("/api/v1/objections").json() == {"items": []}
    assert [row.state for row in objections_of(ctx, holder)] == ["accepted", "declined"]
    make_copy(ctx, holder, office.world.certificates()[0].management_no, PURPOSE, office.world.clock.today())
    page = desk.get(f"/console/certificates/{office.world.certificates()[0].management_no}")
    assert page.status_code == 200
    assert PURPOSE not in page.text, "what a copy is for is the holder's own affair"
    preview = desk.get(f"{page.request.url.path}/invalidate?ground=false-materials")
    assert "1 份同时失效" in preview.text
