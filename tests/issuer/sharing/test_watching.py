"""Watching: nobody is told before they confirm, everybody who confirmed is told of every change, once or more."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from issuer.clock import SimulatedClock
from issuer.context import Context
from issuer.errors import ConflictError, NotFoundError
from issuer.holders.certificate import watches_of
from issuer.invalidation import service as invalidation
from issuer.issuance.supersede import approve_supersession, supersede
from issuer.records.watching import Watch
from issuer.sharing.delivery import deliver
from issuer.sharing.watchers import Asked, begin, confirm, end, look, watch_more
from tests.factories.watching import BASIS, GROUND, MAIL, ORGANISATION, by_mail, by_webhook, fall, last_link, token
from tests.factories.world import APPROVER, PROPOSER, World
from tests.services.mail_server import MailServer
from tests.services.webhook_receiver import Receiver


def test_nothing_is_sent_to_an_address_that_has_not_confirmed(
    ctx: Context, world_copy: World, mails: MailServer
) -> None:
    begin(ctx, "email", MAIL, ORGANISATION, Asked(token=token(world_copy)))
    deliver(ctx)
    asked = mails.last()
    assert (asked["To"], asked["From"]) == (MAIL, "no-reply@zs.example.cn")
    assert last_link(ctx) in asked.get_content()
    assert ORGANISATION in asked.get_content()
    fall(ctx, world_copy)
    deliver(ctx)
    assert len(mails.letters) == 1, "only the question whether they want to be told"


def test_every_change_is_told_by_mail_with_public_facts_only(
    ctx: Context, world_copy: World, mails: MailServer
) -> None:
    link = by_mail(ctx, world_copy)
    certificate, person = world_copy.certificates()[0], world_copy.people[0]
    fall(ctx, world_copy, suspend=True)
    deliver(ctx)
    # Letters go out side by side, so either may come first.
    (fallen,) = [letter for letter in mails.letters[-2:] if "无效" in letter["Subject"]]
    (suspended,) = [letter for letter in mails.letters[-2:] if "暂停使用" in letter["Subject"]]
    text = fallen.get_content()
    assert f"/v/{certificate.token}" in text
    assert "工号0042" in text, "what the watcher calls it"
    assert "不符合报考条件" in text
    for secret in (person.name, person.id_no, certificate.management_no, BASIS):
        assert secret not in text
    assert fallen["List-Unsubscribe"].endswith(f"/watch/unsubscribe/{link}>")
    assert fallen["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert fallen["Message-ID"] != suspended["Message-ID"]


def test_a_correction_names_the_successor(ctx: Context, world_copy: World, receiver: Receiver) -> None:
    by_webhook(ctx, world_copy, receiver)
    number = supersede(ctx, PROPOSER, world_copy.certificates()[0].management_no, "改名示例", "示例：更名证明。")
    approve_supersession(ctx, APPROVER, number)
    deliver(ctx)
    data = receiver.calls[-1].json["data"]
    assert (data["status"], data["superseded_by"]) == ("superseded", world_copy.certificates()[-1].token)
    assert data["followed_to"] == data["superseded_by"]
    with pytest.raises(NotFoundError):
        begin(ctx, "webhook", receiver.url, ORGANISATION, Asked(token=token(world_copy)))


def test_a_watch_goes_on_with_the_successor_until_the_same_day(
    ctx: Context, world_copy: World, mails: MailServer
) -> None:
    link = by_mail(ctx, world_copy)
    (old,) = look(ctx, link).watches
    number = supersede(ctx, PROPOSER, world_copy.certificates()[0].management_no, "改名示例", "示例：更名证明。")
    approve_supersession(ctx, APPROVER, number)
    deliver(ctx)
    successor = world_copy.certificates()[-1]
    told = mails.last().get_content()
    assert f"/v/{successor.token}" in told
    assert "今后将继续为您关注新证书" in told
    going_on, moved = look(ctx, link).watches
    assert (moved.id, moved.ended_by, moved.status) == (old.id, "moved", "superseded")
    assert (going_on.token, going_on.ended_by, going_on.label) == (successor.token, None, old.label)
    assert going_on.expires_on == old.expires_on
    with ctx.database.read() as session:
        holders = [watches_of(session, one, ctx.clock.today()) for one in (old_id(world_copy), successor.id)]
    assert [len(seen) for seen in holders] == [0, 1], "the holder sees it once, with the certificate that counts"
    before = len(mails.letters)
    case = invalidation.propose(ctx, PROPOSER, successor.management_no, GROUND, BASIS)
    invalidation.approve(ctx, APPROVER, case)
    deliver(ctx)
    assert len(mails.letters) == before + 1
    assert f"/v/{successor.token}" in mails.last().get_content()


def test_who_has_not_confirmed_yet_confirms_for_the_successor(
    ctx: Context, world_copy: World, mails: MailServer
) -> None:
    begin(ctx, "email", MAIL, ORGANISATION, Asked(token=token(world_copy)))
    deliver(ctx)
    number = supersede(ctx, PROPOSER, world_copy.certificates()[0].management_no, "改名示例", "示例：更名证明。")
    approve_supersession(ctx, APPROVER, number)
    confirm(ctx, last_link(ctx))
    deliver(ctx)
    assert len(mails.letters) == 1, "nobody was told of a change before they confirmed"
    standing = [line.token for line in look(ctx, last_link(ctx)).watches if line.ended_by is None]
    assert standing == [world_copy.certificates()[-1].token]


def old_id(world: World) -> int:
    """Row number of the certificate that was replaced."""
    return world.certificates()[0].id


def test_a_watch_ends_with_its_last_day_and_when_either_side_says_so(
    ctx: Context, world_copy: World, mails: MailServer
) -> None:
    link = by_mail(ctx, world_copy)
    assert watch_more(ctx, link, [Asked(token=token(world_copy, 1)), Asked(token=token(world_copy, 2))]) == [
        "watching",
        "watching",
    ]
    first, second, _ = sorted(look(ctx, link).watches, key=lambda one: one.id)
    end(ctx, link, first.id)
    before = len(mails.letters)
    fall(ctx, world_copy, 0)
    fall(ctx, world_copy, 1)
    deliver(ctx)
    assert len(mails.letters) == before + 1, "of the second only"
    assert second.token in mails.last().get_content()
    clock = world_copy.clock
    assert isinstance(clock, SimulatedClock)
    clock.move_to(second.expires_on + timedelta(days=1), hour=0)
    fall(ctx, world_copy, 2)
    assert deliver(ctx) == 0
    assert end(ctx, link).state == "ended"
    with pytest.raises(ConflictError):
        watch_more(ctx, link, [Asked(token=token(world_copy, 3))])


def test_a_roster_is_matched_like_a_look_up(ctx: Context, world_copy: World, mails: MailServer) -> None:
    link = by_mail(ctx, world_copy)
    number, name = world_copy.certificates()[1].management_no, world_copy.people[1].name
    asked = [
        Asked(management_no=f" {number.lower()}", name=name),
        Asked(management_no=number, name=name),
        Asked(management_no=number, name=world_copy.people[2].name),
        Asked(management_no="0000", name=name),
        Asked(management_no=number),
    ]
    assert watch_more(ctx, link, asked) == ["watching", "already", "not-found", "not-found", "not-found"]


def test_links_cannot_be_guessed_and_hold_no_address(ctx: Context, world_copy: World, mails: MailServer) -> None:
    link = by_mail(ctx, world_copy)
    public_id, _, mac = link.partition(".")
    for wrong in (
        public_id,
        f"{public_id}.",
        f"{public_id}.{'0' * len(mac)}",
        f"{public_id}.{mac[:-1]}",
        f"x{link}",
        "",
    ):
        with pytest.raises(NotFoundError):
            look(ctx, wrong)


def test_addresses_and_organisations_rest_encrypted(ctx: Context, world_copy: World, mails: MailServer) -> None:
    by_mail(ctx, world_copy)
    world_copy.close()
    raw = b"".join(path.read_bytes() for path in world_copy.folder.glob("*.sqlite3*"))
    for secret in (MAIL, ORGANISATION, "工号0042"):
        assert secret.encode() not in raw


def test_without_a_mail_server_only_webhooks_are_offered(world_copy: World) -> None:
    with pytest.raises(ConflictError):
        begin(world_copy.ctx, "email", MAIL, ORGANISATION, Asked(token=token(world_copy)))


def test_a_watcher_may_not_watch_without_end(
    ctx: Context, world_copy: World, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = by_mail(ctx, world_copy)
    monkeypatch.setattr("issuer.rules.watching.WATCHES_PER_ADDRESS", 2)
    assert watch_more(ctx, link, [Asked(token=token(world_copy, 1))]) == ["watching"]
    with pytest.raises(ConflictError) as limit:
        watch_more(ctx, link, [Asked(token=token(world_copy, 2))])
    assert (limit.value.code, limit.value.clause) == ("watches-limit", "R16")
    with ctx.database.read() as session:
        assert len(session.scalars(select(Watch)).all()) == 2
