"""Where may be sent to: plain mail addresses, public https addresses, never our own network."""

from dataclasses import replace

import pytest

from issuer.context import Context
from issuer.errors import InputError
from issuer.sharing import webhooks
from issuer.sharing.addresses import AddressRefusedError, is_public, resolved, web_address
from issuer.sharing.delivery import deliver
from issuer.sharing.watchers import Asked, begin
from tests.factories.watching import ORGANISATION, by_webhook, fall, messages, token
from tests.factories.world import World
from tests.services.webhook_receiver import Receiver


@pytest.mark.parametrize("text", ["", "a", "a@b", "a b@example.com", "a@example.com\nBcc: x@y.cn", "a..b@c.cn"])
def test_what_is_no_mail_address_is_refused(ctx: Context, world_copy: World, text: str) -> None:
    with pytest.raises(InputError):
        begin(ctx, "email", text, ORGANISATION, Asked(token=token(world_copy)))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://user:pw@example.com/",
        "https://example.com:22/",
        "https://例子.cn/",
        "https:///x",
        "ftp://example.com/",
        "https://example.com/#x",
        "https://example.com:99999/",
        "javascript:alert(1)",
        "https://exa mple.com/",
    ],
)
def test_web_addresses_that_are_not_plain_https_are_refused(url: str) -> None:
    with pytest.raises(InputError):
        web_address(url, private=False)


def test_no_message_leaves_for_our_own_network() -> None:
    inside = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"]
    inside += [
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "224.0.0.1",
        "ff02::1",
    ]
    assert [address for address in inside if is_public(address)] == []
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    for host in ("127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"):
        with pytest.raises(AddressRefusedError):
            resolved(web_address(f"https://{host}/", private=False), private=False)


def test_the_connection_goes_to_the_address_that_was_judged(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that resolves anew would fail: only the judged address is connected to, under its name."""
    target = replace(web_address(receiver.url, private=True), host="hooks.example.test")
    monkeypatch.setattr(webhooks, "resolved", lambda *_args, **_options: "127.0.0.1")
    receiver.echo = False
    webhooks.post(target, b'{"data":{}}', {}, private=True)
    assert receiver.calls[-1].headers["host"] == f"hooks.example.test:{target.port}"


def test_redirects_are_not_followed(ctx: Context, world_copy: World, receiver: Receiver) -> None:
    by_webhook(ctx, world_copy, receiver)
    receiver.status, receiver.location = 302, receiver.url + "/elsewhere"
    fall(ctx, world_copy)
    deliver(ctx)
    assert [call.path for call in receiver.calls] == ["/hook", "/hook"]
    assert messages(ctx)[-1][1] == "waiting"
