"""Progress as server-sent events (WHATWG HTML, 9.2): one event at once, one with every change, `end` at the end."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi.responses import StreamingResponse

from issuer.errors import UnavailableError, Words

LOOK_SECONDS = 0.5
SILENCE_SECONDS = 15.0
"""So long without news a comment is sent, so that nothing between here and the reader hangs up."""
LIFE_SECONDS = 120.0
"""Then the reader calls again by itself, and who calls is looked at again: a session may have ended."""
RECONNECT_MS = 2000
AT_ONCE = 64
"""Readers at one time; more are told to ask for the plain progress instead."""
ENDED = frozenset({"done", "cancelled", "rejected", "withdrawn"})

_free = threading.BoundedSemaphore(AT_ONCE)


def events(progress: Callable[[], dict[str, Any]]) -> StreamingResponse:
    """`progress()` (with its `state`), as `progress` events until it has ended, then one `end` event.

    What `progress` raises at first is raised here, before anything is answered. Raises UnavailableError when
    too many are listening.
    """
    first = progress()
    if not _free.acquire(blocking=False):
        raise UnavailableError(
            "too-many-listeners",
            Words("同时查看进度的页面过多。", "Too many are watching at once."),
            remedy=Words("稍后刷新页面查看进度。", "Load the page again later to see how far it is."),
        )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(first, progress), media_type="text/event-stream", headers=headers)


async def _stream(first: dict[str, Any], progress: Callable[[], dict[str, Any]]) -> AsyncIterator[str]:
    try:
        yield f"retry: {RECONNECT_MS}\n\n{_event('progress', first)}"
        told, quiet, lived = first, 0.0, 0.0
        while told["state"] not in ENDED and lived < LIFE_SECONDS:
            await asyncio.sleep(LOOK_SECONDS)
            quiet, lived = quiet + LOOK_SECONDS, lived + LOOK_SECONDS
            now = await asyncio.to_thread(progress)
            if now != told:
                told, quiet = now, 0.0
                yield _event("progress", now)
            elif quiet >= SILENCE_SECONDS:
                quiet = 0.0
                yield ": still here\n\n"
        if told["state"] in ENDED:
            yield _event("end", told)
    finally:
        _free.release()


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
