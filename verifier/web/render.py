"""Pages: Jinja templates with inlined style and script, and the policy that allows exactly those."""

import json
import re
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from verifier.check.checker import host_of
from verifier.record.public_record import PublicRecord
from verifier.record.verdict import CheckResult
from verifier.web import assets
from verifier.web.headers import page_policy
from verifier.web.problems import PROBLEM_TYPES, Problem, ProblemType
from verifier.web.view import Asked, script_data, verdict_context

_BLANK_LINES: Final = re.compile(r">\s*\n\s*<")
_STATUS_TONES: Final = {429: "caution", 503: "caution", 500: "caution"}


class Pages:
    """Draws every public page. `official` are the addresses that are ours, the first of them printed in QR codes."""

    def __init__(self, official: tuple[str, ...]) -> None:
        self._official = official
        self._hosts = frozenset(host_of(origin) for origin in official)
        self._templates = Environment(
            loader=FunctionLoader(assets.source),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._sprite = "".join(line.strip() for line in assets.source("sprite.html").splitlines())

    def start(self, request: Request) -> HTMLResponse:
        """The first page with its three doors."""
        script = assets.script("start.js")
        return self._page(
            request,
            "start.html",
            {"title": "电子证书查验 Certificate verification", "js": script.text},
            styles=("page.css", "start.css"),
            scripts=(script,),
            talks=True,
            findable=True,
        )

    def verdict(self, request: Request, result: CheckResult, asked: Asked, *, status: int = 200) -> HTMLResponse:
        """The answer for a file, a digest or a look-up: all of it known to the server, so there is no script."""
        context = verdict_context(result, asked)
        return self._page(request, "verdict.html", {**context, "js": ""}, status=status)

    def token_verdict(
        self,
        request: Request,
        token: str,
        result: CheckResult,
        record: PublicRecord | None,
        qr_keys: list[dict[str, Any]],
        *,
        status: int = 200,
    ) -> HTMLResponse:
        """The QR page: the register's answer, with the script that checks what stands behind the `#`."""
        script = assets.script("credential.js", "verdict.js")
        data = json.dumps(script_data(token, result, record, qr_keys), ensure_ascii=False, separators=(",", ":"))
        context = verdict_context(result, Asked.TOKEN) | {
            "js": script.text,
            "page_json": data.replace("<", "\\u003c"),
        }
        return self._page(request, "verdict.html", context, scripts=(script,), status=status)

    def problem(self, request: Request, problem: Problem) -> HTMLResponse:
        """An error, said to a person."""
        kind = problem.kind
        tone = _STATUS_TONES.get(kind.status, "none")
        context = {"title": kind.zh, "kind": kind, "detail": problem.said, "tone": tone}
        page = self._page(request, "problem.html", context, status=kind.status)
        page.headers.update(problem.headers)
        return page

    def help(self, request: Request, kind: ProblemType | None = None) -> HTMLResponse:
        """How to check well, or how to mend one kind of error."""
        if kind is None:
            context: dict[str, Any] = {"title": "说明 Help", "kinds": list(PROBLEM_TYPES.values())}
            return self._page(request, "help.html", context, findable=True)
        return self._page(request, "problem.html", {"title": kind.zh, "kind": kind, "detail": None, "tone": "none"})

    def _page(
        self,
        request: Request,
        template: str,
        context: dict[str, Any],
        *,
        styles: tuple[str, ...] = ("page.css",),
        scripts: tuple[assets.Inline, ...] = (),
        talks: bool = False,
        findable: bool = False,
        status: int = 200,
    ) -> HTMLResponse:
        style = assets.style(*styles)
        seen = request.headers.get("host", "")
        site = {
            "official": self._official[0],
            "seen": seen,
            "here": host_of(f"{request.url.scheme}://{seen}") in self._hosts,
        }
        text = self._templates.get_template(template).render(
            css=style.text, sprite=self._sprite, site=site, **context
        )
        policy = page_policy(
            scripts=tuple(script.csp for script in scripts), styles=(style.csp,), connects=talks, submits=talks
        )
        headers = {"Content-Security-Policy": policy, "Vary": "Accept", "Content-Language": "zh-CN, en"}
        if findable:
            # Search engines should lead to the real address, and to nothing about a certificate.
            headers["X-Robots-Tag"] = "all"
        return HTMLResponse(_BLANK_LINES.sub("><", text), status_code=status, headers=headers)
