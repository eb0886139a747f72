"""A mail server, a receiver of webhooks, and an office that knows them."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from issuer.context import Context
from tests.factories.world import World
from tests.services.mail_server import MailServer, mail_server
from tests.services.webhook_receiver import Receiver, webhook_receiver


@pytest.fixture(scope="module")
def post_office() -> Iterator[MailServer]:
    """One mail server for all."""
    with mail_server() as server:
        yield server


@pytest.fixture
def mails(post_office: MailServer) -> MailServer:
    """The mail server with an empty box."""
    post_office.letters.clear()
    post_office.refuse = 0
    return post_office


@pytest.fixture(scope="module")
def listening() -> Iterator[Receiver]:
    """One receiver for all."""
    with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
def receiver(listening: Receiver) -> Receiver:
    """The receiver, willing and with nothing received."""
    listening.calls.clear()
    listening.status, listening.echo, listening.location = 200, True, ""
    return listening


@pytest.fixture
def ctx(world_copy: World, post_office: MailServer) -> Context:
    """The world's context with a mail server, in a closed network."""
    changes = {
        "smtp_url": SecretStr(post_office.url),
        "mail_from": "no-reply@zs.example.cn",
        "watch_private_addresses": True,
    }
    world_copy.ctx.settings = world_copy.ctx.settings.model_copy(update=changes)
    return world_copy.ctx
