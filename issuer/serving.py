"""`ecert serve`: the web by Granian in this process, and beside it what keeps the public record fresh."""

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Any, Literal

from granian.constants import Interfaces
from granian.errors import ConfigurationError, FatalError
from granian.server.embed import Server

from issuer.error_log import keep_traceback
from issuer.errors import UnavailableError, Words
from issuer.settings import Settings

if TYPE_CHECKING:
    from issuer.context import Context

_log = logging.getLogger(__name__)

Side = Literal["issuer", "verifier", "all"]
RELAY_SECONDS = 2.0
"""Every act publishes at once; this catches what a crash between commit and publication left."""
BACKLOG = 1024
"""Connections that may wait, and requests under way at one time: a whole office may scan at once."""
REFRESH_SECONDS = 300.0
"""How often status lists near the end of their life are looked for."""


def serve(settings: Settings, side: Side, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM. Raises UnavailableError when the port is taken or the folder not ready."""
    _require_free(host, port)
    from issuer.app import create_combined_app, create_issuer_app, create_public_app

    if side == "verifier":
        asyncio.run(_serve(create_public_app(settings), host, port, None))
        return
    from issuer.context import open_context

    ctx = open_context(settings)
    try:
        app = create_issuer_app(ctx) if side == "issuer" else create_combined_app(settings, ctx)
        asyncio.run(_serve(app, host, port, ctx))
    finally:
        ctx.close()


async def _serve(app: Any, host: str, port: int, ctx: "Context | None") -> None:
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        backlog=BACKLOG,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    keeper = asyncio.create_task(_keep_fresh(ctx)) if ctx is not None else None
    try:
        await server.serve()
    except (ConfigurationError, FatalError) as exc:
        raise _cannot_listen(host, port) from exc
    finally:
        if keeper is not None:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper


async def _keep_fresh(ctx: "Context") -> None:
    """Publish what is committed and not public yet, renew lists, take up unfinished batches."""
    await asyncio.to_thread(ctx.jobs.resume)
    next_refresh = 0.0
    loop = asyncio.get_running_loop()
    while True:
        try:
            await asyncio.to_thread(ctx.relay.flush)
            if loop.time() >= next_refresh:
                await asyncio.to_thread(ctx.relay.refresh_lists)
                next_refresh = loop.time() + REFRESH_SECONDS
        except Exception as exc:  # noqa: BLE001 (a locked database must not stop the web; the next turn tries again)
            reference, _ = keep_traceback(exc, ctx.settings.data_dir)
            _log.error("the public record could not be brought up to date (%s)", reference)
        await asyncio.sleep(RELAY_SECONDS)


def _require_free(host: str, port: int) -> None:
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as exc:
            raise _cannot_listen(host, port) from exc


def _cannot_listen(host: str, port: int) -> UnavailableError:
    return UnavailableError(
        "port-in-use",
        Words(f"无法监听 {host}:{port}。", f"Cannot listen on {host}:{port}."),
        remedy=Words("换一个端口（--port）或停止占用者。", "Choose another --port, or stop what uses it."),
    )
