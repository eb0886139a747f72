"""What is sent: signed, public first, tried again for days, given up in the end, lost never."""

from dataclasses import replace

import pytest

from issuer.clock import SimulatedClock
from issuer.context import Context
from issuer.rules.watching import BACK_OFF
from issuer.sharing import delivery, webhooks
from issuer.sharing.delivery import TAKEN_FOR, deliver, report
from tests.factories.watching import by_mail, by_webhook, fall, messages, signed_by, token
from tests.factories.world import PROPOSER, World
from tests.services.mail_server import MailServer
from tests.services.webhook_receiver import Receiver


def test_webhooks_are_signed_and_a_changed_one_is_not(ctx: Context, world_copy: World, receiver: Receiver) -> None:
    public_key = by_webhook(ctx, world_copy, receiver)
    fall(ctx, world_copy)
    deliver(ctx)
    asked, told = receiver.calls
    assert (asked.json["type"], told.json["type"]) == ("watch.confirm", "certificate.status_changed")
    assert signed_by(asked, public_key)
    assert signed_by(told, public_key)
    assert not signed_by(replace(told, body=told.body.replace(b'"invalid"', b'"valid"')), public_key)
    assert not signed_by(told, webhooks.public_key(webhooks.new_key()))
    data = told.json["data"]
    assert (data["status"], data["reason_class"], data["token"]) == ("invalid", "found-ineligible", token(world_copy))
    assert set(data) == {
        *("manage_url", "token", "label", "check_url", "status", "reason_class"),
        *("effective_on", "changed_at", "superseded_by", "followed_to"),
    }


def test_a_receiver_that_does_not_echo_the_challenge_is_not_told(
    ctx: Context, world_copy: World, receiver: Receiver
) -> None:
    receiver.echo = False
    by_webhook(ctx, world_copy, receiver)
    fall(ctx, world_copy)
    deliver(ctx)
    assert [call.json["type"] for call in receiver.calls] == ["watch.confirm"]


def test_what_is_told_is_public_before_it_is_sent(ctx: Context, world_copy: World, receiver: Receiver) -> None:
    by_webhook(ctx, world_copy, receiver)
    clock = world_copy.clock
    assert isinstance(clock, SimulatedClock)
    with ctx.database.write() as session:
        # Committed, and the program killed before it could publish: `after_commit` never runs.
        certificate = world_copy.certificates()[0]
        from issuer.invalidation.effects import change_status
        from verifier.record.status import CertificateStatus, ReasonClass

        row = session.get_one(type(certificate), certificate.id)
        suspended, reason = CertificateStatus.SUSPENDED, ReasonClass.CASE_OPEN
        change_status(session, PROPOSER, row, suspended, reason, effective_on=clock.today(), at=clock.now())
    assert world_copy.checker().check_token(certificate.token).verdict == "valid"
    deliver(ctx)
    assert receiver.calls[-1].json["data"]["status"] == "suspended"
    assert world_copy.checker().check_token(certificate.token).verdict == "suspended"


def test_a_change_that_is_undone_tells_nobody(ctx: Context, world_copy: World, receiver: Receiver) -> None:
    by_webhook(ctx, world_copy, receiver)
    with pytest.raises(RuntimeError), ctx.database.together():
        fall(ctx, world_copy)
        raise RuntimeError
    assert deliver(ctx) == 0
    assert len(receiver.calls) == 1


def test_failures_are_tried_again_for_days_with_one_id_and_then_given_up(
    ctx: Context, world_copy: World, receiver: Receiver
) -> None:
    by_webhook(ctx, world_copy, receiver)
    fall(ctx, world_copy)
    receiver.status = 500
    clock = world_copy.clock
    assert isinstance(clock, SimulatedClock)
    for wait in BACK_OFF:
        assert deliver(ctx) == 1
        assert deliver(ctx) == 0, "not before its time"
        clock._now += wait  # the clock of the test
    assert deliver(ctx) == 1
    assert messages(ctx)[-1] == ("status", "dead", len(BACK_OFF) + 1)
    told = receiver.calls[1:]
    assert len(told) == len(BACK_OFF) + 1
    assert len({call.headers["webhook-id"] for call in told}) == 1
    assert len({call.body for call in told}) == 1
    with ctx.database.read() as session:
        assert report(session).dead == {"answered-500": 1}


def test_a_sender_killed_in_the_middle_loses_nothing(
    ctx: Context, world_copy: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_webhook(ctx, world_copy, receiver)
    fall(ctx, world_copy)

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_note", die)  # sent, and killed before the outcome was written
        with pytest.raises(KeyboardInterrupt):
            deliver(ctx)
    assert deliver(ctx) == 0, "somebody may still be sending it"
    clock = world_copy.clock
    assert isinstance(clock, SimulatedClock)
    clock._now += TAKEN_FOR
    assert deliver(ctx) == 1
    first, second = receiver.calls[-2:]
    assert first.headers["webhook-id"] == second.headers["webhook-id"], "the receiver can tell that it is the same"
    assert messages(ctx)[-1][1] == "sent"


def test_a_refused_mailbox_is_given_up_at_once(ctx: Context, world_copy: World, mails: MailServer) -> None:
    by_mail(ctx, world_copy)
    mails.refuse = 550
    fall(ctx, world_copy)
    deliver(ctx)
    assert messages(ctx)[-1] == ("status", "dead", 1)
