"""Everything a request needs, opened once; and where its work runs: in threads, files in the sandbox's processes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from keys.public.keyset import KeySetMalformedError
from verifier.check.checker import Checker
from verifier.check.judgement import refusal
from verifier.check.sandbox import BusyError, Sandbox
from verifier.check.words import say
from verifier.record.lookup import holder_digest, number_digest
from verifier.record.point_reads import PointReads
from verifier.record.public_record import PublicRecord
from verifier.record.register import RegisterUnavailableError, SqlRegister
from verifier.record.verdict import CheckResult, Verdict
from verifier.web import answers
from verifier.web.clients import Clients
from verifier.web.keyfile import KeyFile, LoadedKeys
from verifier.web.negotiation import prefers_html
from verifier.web.problems import Problem
from verifier.web.proof_of_work import ProofOfWork
from verifier.web.rates import (
    ENDINGS_PER_NUMBER,
    LOOKUPS_PER_ADDRESS,
    LOOKUPS_PER_NUMBER,
    UPLOADS_PER_ADDRESS,
    WORKED_LOOKUPS_PER_ADDRESS,
    WORKED_LOOKUPS_PER_NUMBER,
    RateLimits,
)
from verifier.web.render import Pages
from verifier.web.uploads import Gate
from verifier.web.view import Asked

MAX_UPLOADS_AT_ONCE: Final = 24
"""Files being received or checked at one time in one process: each may take 10 MB of memory."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """The parts behind the routes. `base_url` is the first official address, without a path."""

    base_url: str
    checker: Checker
    sandbox: Sandbox
    register: SqlRegister
    rows: PointReads
    keys: KeyFile
    keys_dir: Path
    lookup_key: bytes
    clock: Callable[[], datetime]
    rates: RateLimits
    work: ProofOfWork
    clients: Clients
    pages: Pages
    uploads: Gate = field(default_factory=lambda: Gate(MAX_UPLOADS_AT_ONCE))
    # Files wait long for their turn; in threads of their own they cannot keep anyone's QR code waiting.
    _file_threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MAX_UPLOADS_AT_ONCE))

    async def close(self) -> None:
        """Let go of processes and connections; both come back with the next request."""
        await self.rows.close()
        self.sandbox.close()
        self.register.close()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something that waits for a database or a file, off the event loop."""
        return await to_thread.run_sync(lambda: work(*args, **kwargs))

    async def check_file(self, pdf: bytes) -> CheckResult:
        """Check a file; raises Problem busy when all processes are at work."""
        try:
            return await to_thread.run_sync(self.checker.check_pdf, pdf, limiter=self._file_threads)
        except BusyError as error:
            raise Problem("busy", retry_after=error.retry_after) from error

    async def sheet_rows(self, xlsx: bytes) -> list[list[str]] | None:
        """A workbook's rows, None for what cannot be read; raises Problem busy when all processes are at work."""
        try:
            return await to_thread.run_sync(self.sandbox.rows, xlsx, limiter=self._file_threads)
        except BusyError as error:
            raise Problem("busy", retry_after=error.retry_after) from error

    async def read(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read from the register; raises Problem status-unknown when it cannot be read."""
        try:
            return await self.run(work, *args, **kwargs)
        except RegisterUnavailableError as error:
            raise Problem("status-unknown", retry_after=answers.RETRY_SECONDS) from error

    def read_here(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` for whoever is in a thread already."""
        try:
            return work(*args, **kwargs)
        except RegisterUnavailableError as error:
            raise Problem("status-unknown", retry_after=answers.RETRY_SECONDS) from error

    async def published_keys(self) -> LoadedKeys:
        """The key set as published; raises Problem status-unknown when it cannot be read."""
        try:
            return await self.run(self.keys.load)
        except (OSError, KeySetMalformedError) as error:
            raise Problem("status-unknown", retry_after=answers.RETRY_SECONDS) from error

    def answer(self, request: Request, result: CheckResult, asked: Asked) -> Response:
        """A verdict in the form the asker prefers."""
        if not prefers_html(request):
            return answers.result_json(result, self.base_url, answers.instance_of(request))
        page = self.pages.verdict(request, result, asked, status=answers.http_status(result))
        page.headers.update(answers.result_headers(result))
        return page

    def answer_plainly(self, request: Request, result: CheckResult) -> Response:
        """A verdict about a token on a page without a script, as where the page asked for has nothing to show."""
        page = self.pages.verdict(request, result, Asked.TOKEN, status=answers.http_status(result))
        page.headers.update(answers.result_headers(result))
        return page

    async def token_page(self, request: Request, token: str) -> Response:
        """The QR page for a token."""
        return self.drawn_token_page(request, token, *await self.run(self._by_token, token))

    def drawn_token_page(
        self,
        request: Request,
        token: str,
        result: CheckResult,
        record: PublicRecord | None,
        keys: LoadedKeys | None,
    ) -> Response:
        """The QR page for an answer that is there."""
        status = answers.http_status(result)
        if result.verdict is Verdict.MALFORMED:
            page = self.pages.verdict(request, result, Asked.TOKEN, status=status)
        else:
            page = self.pages.token_verdict(request, token.upper(), result, record, keys, status=status)
        page.headers.update(answers.result_headers(result))
        return page

    def _by_token(self, token: str) -> tuple[CheckResult, PublicRecord | None, LoadedKeys | None]:
        """The register's answer with what the page's script must compare the signed data with.

        Without the record or the keys the script could not tell a genuine code from a patched one, so
        their absence is an answer that could not be determined.
        """
        result = self.checker.check_token(token)
        if result.verdict is Verdict.MALFORMED:
            return result, None, None
        try:
            keys = self.keys.load()
            record = self.register.by_token(token.upper()) if result.certificate else None
        except RegisterUnavailableError:
            return refusal(Verdict.STATUS_UNKNOWN, (say("register-unreachable"),), result.as_of), None, None
        except (OSError, KeySetMalformedError):
            return refusal(Verdict.STATUS_UNKNOWN, (say("keys-unavailable"),), result.as_of), None, None
        return result, record, keys

    async def limit_lookup(self, request: Request, management_no: str, name: str, proof: str | None = None) -> None:
        """Count a look-up against its address and against its number.

        Over the first limits it costs a proof of work: raises Problem proof-needed, which carries the challenge.
        Over the second ones it raises Problem too-many-requests.
        """
        who = self.clients.address(request.scope)
        # The digests, not what was typed: what is counted may lie in a Redis that others can read.
        number = number_digest(self.lookup_key, management_no)
        wait = await self.run(self._wait, (LOOKUPS_PER_ADDRESS, who), (LOOKUPS_PER_NUMBER, number))
        if wait is None:
            return
        bound_to = f"{who} {holder_digest(self.lookup_key, management_no, name)}"
        if not proof or not await self.run(self.work.accepts, proof, bound_to):
            challenge = self.work.challenge(bound_to)
            raise Problem("proof-needed", retry_after=wait, members={"challenge": challenge.to_json()})
        await self.limit(WORKED_LOOKUPS_PER_ADDRESS, "worked-lookup-address", who)
        await self.limit(WORKED_LOOKUPS_PER_NUMBER, "worked-lookup-number", number)

    async def limit_ending(self, management_no: str) -> None:
        """Count a look-up that names the last four against its number; raises Problem too-many-requests."""
        number = number_digest(self.lookup_key, management_no)
        wait = await self.run(self.rates.retry_after, ENDINGS_PER_NUMBER, "ending-number", number)
        if wait is not None:
            said = (
                "该管理号附带后四位的查询过多；不填后四位仍可查询。",
                "This number was asked with last four too often; without them it is still answered.",
            )
            raise Problem("too-many-requests", said, retry_after=wait)

    def _wait(self, address: tuple[str, str], number: tuple[str, str]) -> int | None:
        waits = (
            self.rates.retry_after(address[0], "lookup-address", address[1]),
            self.rates.retry_after(number[0], "lookup-number", number[1]),
        )
        return max((wait for wait in waits if wait is not None), default=None)

    async def limit_upload(self, request: Request) -> None:
        """Count an upload against its address; raises Problem too-many-requests."""
        await self.limit(UPLOADS_PER_ADDRESS, "upload-address", self.clients.address(request.scope))

    async def limit(self, limits: str, *who: str, cost: int = 1) -> None:
        """Count one act of `who`, or `cost` of them, against `limits`; raises Problem too-many-requests."""
        wait = await self.run(self.rates.retry_after, limits, *who, cost=cost)
        if wait is not None:
            raise Problem("too-many-requests", retry_after=wait)
