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
from verifier.web.headers import CAMERA, page_policy
from verifier.web.keyfile import LoadedKeys
from verifier.web.problem_types import ProblemType
from verifier.web.problems import PROBLEM_TYPES, Problem
from verifier.web.scan_words import scan_words
from verifier.web.script_data import LOG_PROOF, LOG_SCRIPT, log_data, offline_data, script_data
from verifier.web.view import Asked, offline_context, verdict_context

_BLANK_LINES: Final = re.compile(r">\s*\n\s*<")
_WATCHABLE: Final = ("valid", "suspended", "invalid")
_STATUS_TONES: Final = {429: "caution", 503: "caution", 500: "caution"}


class Pages:
    """Draws every public page. `official` are the addresses that are ours, the first of them printed in QR codes."""

    def __init__(self, official: tuple[str, ...], *, watching: bool = False) -> None:
        self._official = official
        self._watching = watching
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
            icons=True,
            findable=True,
        )

    def scan(self, request: Request, *, decoders: bool) -> HTMLResponse:
        """The scan page; without `decoders` it says so and offers number and name."""
        script = assets.script("credential.js", "judge.js", "scan.js", "keeping.js") if decoders else None
        title = "扫描二维码 Scan"
        data = scan_words() | {"title": title, "own": sorted(self._hosts), "official": self._official[0].lower()}
        page = self._page(
            request,
            "scan.html",
            {
                "title": title,
                "decoders": decoders,
                "js": script.text if script else "",
                "page_json": _embedded(data),
            },
            styles=("page.css", "start.css", "scan.css"),
            scripts=(script,) if script else (),
            submits=True,
            icons=True,
            findable=True,
        )
        page.headers["Permissions-Policy"] = CAMERA
        return page

    def offline(self, request: Request) -> HTMLResponse:
        """What the QR page becomes without a network; the service worker keeps it."""
        script = assets.script("credential.js", "judge.js", "lists.js", "panel.js", "offline.js")
        context = offline_context() | {
            "js": script.text,
            "page_json": _embedded(offline_data(self._official[0].lower(), sorted(self._hosts))),
        }
        return self._page(request, "offline.html", context, styles=("page.css", "offline.css"), scripts=(script,))

    def log_script(self, keys: LoadedKeys) -> str:
        """What the QR page loads after its answer to check the log."""
        data = log_data(keys, self._official[0].lower())
        return f"{assets.script('log.js').text}var LOG = {json.dumps(data, ensure_ascii=False)};\n"

    def keeper(self, version: str, kept: list[str], parts: list[str]) -> str:
        """The service worker's script: which pages and parts it keeps, under which version."""
        return self._templates.get_template("sw.js").render(version=version, kept=kept, parts=parts)

    def verdict(self, request: Request, result: CheckResult, asked: Asked, *, status: int = 200) -> HTMLResponse:
        """The answer for a file, a digest or a look-up: all of it known to the server, so there is no script."""
        context = verdict_context(result, asked) | {"js": "", "watched": self._watched(result)}
        return self._page(request, "verdict.html", context, status=status)

    def _watched(self, result: CheckResult) -> str:
        """The token under which the certificate can be watched; empty where it cannot, or nothing more can change."""
        certificate = result.certificate
        if not self._watching or certificate is None or certificate.status not in _WATCHABLE:
            return ""
        return certificate.copy_of or certificate.token

    def token_verdict(
        self,
        request: Request,
        token: str,
        result: CheckResult,
        record: PublicRecord | None,
        keys: LoadedKeys | None,
        *,
        status: int = 200,
    ) -> HTMLResponse:
        """The QR page: the register's answer, with the script that checks what stands behind the `#`."""
        script = assets.script("credential.js", "panel.js", "verdict.js")
        official = self._official[0].lower()
        context = verdict_context(result, Asked.TOKEN) | {
            "js": script.text,
            "page_json": _embedded(script_data(token, result, record, keys, official)),
            "watched": self._watched(result),
        }
        # Of all addresses only the log's: what stands behind the '#' could be sent nowhere else.
        return self._page(
            request,
            "verdict.html",
            context,
            scripts=(script,),
            talks=official + LOG_PROOF,
            loads=official + LOG_SCRIPT,
            status=status,
        )

    def problem(self, request: Request, problem: Problem) -> HTMLResponse:
        """An error, said to a person."""
        kind = problem.kind
        tone = _STATUS_TONES.get(kind.status, "none")
        context = {"title": kind.zh, "kind": kind, "detail": problem.said, "tone": tone}
        page = self._page(request, "problem.html", context, status=kind.status)
        page.headers.update(problem.headers)
        return page

    def work(self, request: Request, problem: Problem, fields: dict[str, str]) -> HTMLResponse:
        """The page that does the work a look-up costs, and asks again. Nothing typed goes anywhere but back."""
        challenge = problem.members["challenge"]
        context = {
            "title": problem.kind.zh,
            "kind": problem.kind,
            "wait": problem.headers["Retry-After"],
            "challenge": challenge["challenge"],
            "bits": challenge["bits"],
            "fields": fields,
        }
        page = self.draw(request, "work.html", context, script="work.js", submits=True, status=problem.kind.status)
        page.headers.update(problem.headers)
        return page

    def help(self, request: Request, kind: ProblemType | None = None) -> HTMLResponse:
        """How to check well, or how to mend one kind of error."""
        if kind is None:
            context: dict[str, Any] = {"title": "说明 Help", "kinds": list(PROBLEM_TYPES.values())}
            return self._page(request, "help.html", context, findable=True)
        return self._page(request, "problem.html", {"title": kind.zh, "kind": kind, "detail": None, "tone": "none"})

    def draw(
        self,
        request: Request,
        template: str,
        context: dict[str, Any],
        *,
        styles: tuple[str, ...] = ("page.css",),
        script: str | None = None,
        talks: bool = False,
        submits: bool = False,
        status: int = 200,
    ) -> HTMLResponse:
        """Any other page of `templates/public`. `script`: a file of that folder that is inlined.

        `talks`: the script asks this server; `submits`: a form is sent to this server.
        """
        scripts = (assets.script(script),) if script else ()
        context = {"js": scripts[0].text if scripts else "", **context}
        return self._page(
            request, template, context, styles=styles, scripts=scripts, talks=talks, submits=submits, status=status
        )

    def _page(
        self,
        request: Request,
        template: str,
        context: dict[str, Any],
        *,
        styles: tuple[str, ...] = ("page.css",),
        scripts: tuple[assets.Inline, ...] = (),
        talks: bool | str = False,
        submits: bool = False,
        loads: str | None = None,
        icons: bool = False,
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
            scripts=tuple(script.csp for script in scripts) + ((loads,) if loads else ()),
            styles=(style.csp,),
            connects=(talks,) if isinstance(talks, str) else ("'self'",) if talks else (),
            submits=talks is True or submits,
            pictures=icons,
        )
        headers = {"Content-Security-Policy": policy, "Vary": "Accept", "Content-Language": "zh-CN, en"}
        if findable:
            # Search engines should lead to the real address, and to nothing about a certificate.
            headers["X-Robots-Tag"] = "all"
        return HTMLResponse(_BLANK_LINES.sub("><", text), status_code=status, headers=headers)


def _embedded(data: dict[str, Any]) -> str:
    """JSON as it may stand inside a script element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
