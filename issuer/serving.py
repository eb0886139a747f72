"""`ecert serve`: the web by Granian in this process, and beside it what keeps the public record fresh."""

import asyncio
import atexit
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Literal, NoReturn

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
READ_ONLY_SECONDS = 30.0
"""How often a read-only server looks whether it may write again."""
HEAD_SECONDS = 3600.0
"""How often the audit trail's head is put into its second place."""
HOUSE_SECONDS = 60.0
HOUSE_PAUSE = 0.2
"""How often housekeeping has its turn, and how long it stands back between turns while there is more to do."""
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
    from issuer.personal_data.erasure_list import apply_again

    ctx = open_context(settings)
    try:
        apply_again(ctx)  # erasures that an older backup does not know of
        app = create_issuer_app(ctx) if side == "issuer" else create_combined_app(settings, ctx)
        asyncio.run(_serve(app, host, port, ctx))
    finally:
        ctx.close()


def end_process() -> NoReturn:
    """End the process well once `serve` has returned and everything is closed.

    The interpreter is not taken apart: Granian's threads may still ask for it meanwhile, which now and then ended a
    finished process with SIGABRT.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


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
    keepers = (
        [asyncio.create_task(keep(ctx)) for keep in (_keep_fresh, _tell_watchers, _keep_heads, _keep_house)]
        if ctx is not None
        else []
    )
    try:
        await server.serve()
    except (ConfigurationError, FatalError) as exc:
        raise _cannot_listen(host, port) from exc
    finally:
        for keeper in keepers:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper


async def _keep_heads(ctx: "Context") -> None:
    """Put the signed head of the audit trail into its second place, at the start and every hour."""
    place = ctx.second_place
    while place is not None:
        try:
            await asyncio.to_thread(lambda: place.put_head(ctx.room()))
        except UnavailableError as exc:
            _log.error("no head of the audit trail was put into its second place: %s", exc.words.en)
        except Exception as exc:  # noqa: BLE001 (the web goes on; the next hour tries again)
            reference, _ = keep_traceback(exc, ctx.settings.data_dir)
            _log.error("no head of the audit trail was put into its second place (%s)", reference)
        await asyncio.sleep(HEAD_SECONDS)


async def _keep_house(ctx: "Context") -> None:
    """Re-encryption after a rotation, lists of erasures, stock-takes: in short turns beside the office."""
    from issuer.personal_data.housekeeping import keep_house

    await _until_writable(ctx)
    while True:
        try:
            more = await asyncio.to_thread(keep_house, ctx)
        except Exception as exc:  # noqa: BLE001 (the web goes on; the next turn tries again)
            more = False
            reference, _ = keep_traceback(exc, ctx.settings.data_dir)
            _log.error("housekeeping stopped (%s); the next turn tries again", reference)
        await asyncio.sleep(HOUSE_PAUSE if more else HOUSE_SECONDS)


async def _until_writable(ctx: "Context") -> None:
    """Wait while nothing may be written: a restored folder is looked at, and publishes and sends nothing."""
    while ctx.second_place is not None:
        try:
            await asyncio.to_thread(ctx.second_place.require_writable)
        except UnavailableError as exc:
            _log.error("read-only: %s", exc.words.en)
            await asyncio.sleep(READ_ONLY_SECONDS)
        else:
            return


async def _tell_watchers(ctx: "Context") -> None:
    """Send what watchers must be told; apart from the public record, which must not wait for strangers' servers."""
    from issuer.sharing.delivery import deliver

    await _until_writable(ctx)
    while True:
        try:
            sent = await asyncio.to_thread(deliver, ctx)
        except Exception as exc:  # noqa: BLE001 (what waits stays in its table; the next turn tries again)
            sent = 0
            reference, _ = keep_traceback(exc, ctx.settings.data_dir)
            _log.error("messages to watchers could not be sent (%s)", reference)
        await asyncio.sleep(0 if sent else RELAY_SECONDS)


async def _keep_fresh(ctx: "Context") -> None:
    """Publish what is committed and not public yet, renew lists, take up unfinished batches."""
    await _until_writable(ctx)
    await asyncio.to_thread(ctx.jobs.resume)
    next_refresh = 0.0
    loop = asyncio.get_running_loop()
    while True:
        try:
            await asyncio.to_thread(ctx.relay.flush)
            await asyncio.to_thread(ctx.relay.cosign)
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
