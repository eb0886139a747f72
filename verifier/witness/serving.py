"""The witness over HTTP: `POST /add-checkpoint`, and `GET /checkpoint` for whoever wants to compare.

Few ask, seldom: the standard library's server is enough. TLS is for a proxy in front of it.
"""

import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from keys.public.keyset import KeySet, KeySetMalformedError, read_key_set
from verifier.witness.core import MAX_BODY, Reply, WitnessCore, WitnessStateError

_PATIENCE_SECONDS: Final = 10


def open_witness(folder: Path, name: str, origin: str, keys: Path) -> WitnessCore:
    """The witness; raises WitnessStateError. The key set is read anew for every checkpoint: keys are rotated."""
    if not name or "+" in name or any(char.isspace() for char in name):
        raise WitnessStateError("名称不能含空白或加号 / a witness's name has neither blanks nor plus signs")

    def key_set() -> KeySet:
        return read_key_set(keys)

    try:
        key_set()
    except (OSError, KeySetMalformedError) as error:
        raise WitnessStateError(f"公钥清单无法读取 / the key set cannot be read: {keys}") from error
    return WitnessCore(folder, name, origin, key_set, lambda: int(time.time()))


def serve(core: WitnessCore, host: str, port: int) -> int:
    """Serve until SIGINT or SIGTERM; the exit code."""
    try:
        server = ThreadingHTTPServer((host, port), _handler(core))
    except (OSError, OverflowError):
        sys.stderr.write(f"无法监听 {host}:{port} / cannot listen there\n")
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _handler(core: WitnessCore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _PATIENCE_SECONDS

        def do_POST(self) -> None:
            self._answer(self._submitted() if self.path == "/add-checkpoint" else Reply(404, "no such address\n"))

        def do_GET(self) -> None:
            note = core.newest() if self.path == "/checkpoint" else None
            self._answer(Reply(404, "nothing to see\n") if note is None else Reply(200, note))

        def log_message(self, *_: Any) -> None:
            """Nothing about who asked is kept."""

        def _submitted(self) -> Reply:
            length = self.headers.get("Content-Length", "")
            if not length.isascii() or not length.isdigit():
                return Reply(411, "the length is missing\n")
            if int(length) > MAX_BODY:
                return Reply(413, "longer than any checkpoint\n")
            return core.add_checkpoint(self.rfile.read(int(length)))

        def _answer(self, reply: Reply) -> None:
            body = reply.body.encode()
            if reply.status in (404, 411, 413) and self.command == "POST":
                self.close_connection = True  # the body may be unread
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

    return Handler
