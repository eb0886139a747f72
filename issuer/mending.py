"""The help pages behind `type` in every problem of the private side: what each code says and how to mend it.

The words live where the refusal is raised and nowhere else; this reads them from there (the program's own source,
parsed when first asked about, never run), so that a code cannot be without its page, nor the page say something else
than the refusal.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from issuer.errors import NotFoundError, Words
from issuer.pages import page
from issuer.tables import REFUSALS as LIST_REFUSALS

router = APIRouter()

_CODE: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST: Final = 80
_CLAUSE: Final = re.compile(r"R(?:[1-9]|1[0-6])")
_ROOT: Final = Path(__file__).resolve().parent
_RAISERS: Final = {
    "InputError": "bad-input",
    "TooLargeError": "too-large",
    "NotFoundError": "not-found",
    "ConflictError": "conflict",
    "NotAllowedError": "forbidden",
    "UnavailableError": "unavailable",
    "DomainError": "refused",
    "ECertificateAlreadyIssued": "law",
    "KeyStoreError": "unavailable",
    "RuleViolation": "law",
    "problem": "refused",
    "PhotoError": "bad-input",
    "PressRefusal": "refused",
    "Refused": "refused",
    "NotDeliveredError": "unavailable",
    "__init__": "refused",
}
_ADVICE: Final = {
    "bad-input": (
        "请按提示改正所提交的内容后重新提交；本次没有作任何改动。",
        "Mend what was sent as the message says and send it again; nothing was changed.",
    ),
    "too-large": (
        "请拆分或缩小后分次提交；本次没有作任何改动。",
        "Split it or make it smaller and send it in parts; nothing was changed.",
    ),
    "not-found": (
        "请核对编号或名称；只能看到本单位负责的项目（R1）。",
        "Check the number or name. You see only what your own office is responsible for (R1).",
    ),
    "conflict": (
        "事情的状态已经不同：请重新打开页面查看现在的状态，再决定怎么办。",
        "Things are no longer as they were: open the page again, look at the present state, then decide.",
    ),
    "forbidden": (
        "请用有此权限的账号办理，或请管理员核对您的角色；同一件事的提议和批准须由两个人办理。",
        "Use an account that may do this, or ask about your roles; proposing and approving take two people.",
    ),
    "unavailable": (
        "请稍后重试；仍然不行时请维护人员运行 ecert doctor，它会指出缺什么、怎么补。本次没有作任何改动。",
        "Try again later. If it stays, operators run `ecert doctor`: it names what is missing and the remedy. "
        "Nothing was changed.",
    ),
    "law": (
        "这是规定所不允许的，不能改用别的办法绕过；请先满足所引条款的要求，或按该条款另行处理。",
        "The rules do not allow it, and there is no way around: first meet what the clause asks for, or follow it.",
    ),
    "refused": (
        "本次没有作任何改动；请按提示处理后再试。",
        "Nothing was changed; do as the message says and try again.",
    ),
}
_HTTP: Final = (400, 401, 403, 404, 405, 406, 413, 415, 422, 429, 500, 503)
_HTTP_WORDS: Final = {
    401: (
        "请先登录，或在请求中附上令牌（Authorization: Bearer）。",
        "Sign in, or send a token (Authorization: Bearer).",
    ),
    404: ("请核对地址；它可能抄错或被截断。", "Check the address; it may be mistyped or cut off."),
    405: ("请使用应答中 Allow 字段列出的方法。", "Use a method listed in the answer's Allow field."),
    415: ("请按接口说明给出 Content-Type。", "Give the Content-Type the interface description names."),
    422: ("应答的 fields 列出了缺失或格式不对的字段；请改正后重发。", "`fields` lists what is missing or malformed."),
    429: ("请按 Retry-After 给出的秒数等待后再试。", "Wait for the seconds given in Retry-After, then try again."),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One place at which a code is raised: its words, the remedy given there, the clause."""

    hint: str
    words: tuple[str, str] | None
    remedy: tuple[str, str] | None
    clause: str | None


@dataclass(frozen=True, slots=True)
class Help:
    """The page of one code. `mend` is never empty; `…` stands for what changes from case to case."""

    code: str
    said: tuple[tuple[str, str], ...]
    mend: tuple[tuple[str, str], ...]
    clauses: tuple[str, ...]


def catalogue() -> dict[str, Help]:
    """Every code of the private side with its page; reads all of the program, which takes a second."""
    codes = {code for at in range(len(_sources())) for code, _ in _said_in(at)} | set(_http_pages())
    return {code: found for code in sorted(codes) if (found := help_of(code)) is not None}


@lru_cache(maxsize=4096)
def help_of(code: str) -> Help | None:
    """The page of one code, or None where it has none. Parses the files that hold the code's text and no others."""
    if len(code) > _LONGEST or _CODE.fullmatch(code) is None:
        return None
    texts = {f'"{code}"', *(f'code="{code.removesuffix(end)}"' for end in _list_ends() if code.endswith(end))}
    places = [
        said
        for at, source in enumerate(_sources())
        if any(text in source for text in texts)
        for raised, said in _said_in(at)
        if raised == code
    ]
    return _page_of(code, places) if places else _http_pages().get(code)


@cache
def _sources() -> tuple[str, ...]:
    folders = (_ROOT, _ROOT.parent / "keys" / "private")
    return tuple(file.read_text(encoding="utf-8") for folder in folders for file in sorted(folder.rglob("*.py")))


@cache
def _said_in(at: int) -> tuple[tuple[str, Said], ...]:
    """What one file raises; `at` counts `_sources`."""
    return tuple(_raised_in(ast.parse(_sources()[at])))


@cache
def _http_pages() -> dict[str, Help]:
    pages = {}
    for number in _HTTP:
        status = HTTPStatus(number)
        code = status.phrase.lower().replace(" ", "-")
        advice = _HTTP_WORDS.get(number, _ADVICE["unavailable" if number >= 500 else "bad-input"])
        pages[code] = Help(code, ((f"请求无法处理（{number}）。", f"{status.phrase}."),), (advice,), ())
    return pages


@router.get("/help/{problem}", include_in_schema=False)
def help_page(problem: str) -> Response:
    """What a problem's `type` leads to; open to anybody."""
    found = help_of(problem)
    if found is None:
        raise NotFoundError("help-unknown", Words("没有这个错误代码的说明。", "There is no page for this code."))
    return page("staff/help.html", help=found)


def _page_of(code: str, places: list[Said]) -> Help:
    said = dict.fromkeys(place.words for place in places if place.words)
    mend = list(dict.fromkeys(place.remedy for place in places if place.remedy))
    mend += [_ADVICE[hint] for hint in dict.fromkeys(place.hint for place in places)]
    clauses = dict.fromkeys(place.clause for place in places if place.clause)
    return Help(code, tuple(said), tuple(dict.fromkeys(mend)), tuple(clauses))


def _raised_in(tree: ast.Module) -> Iterator[tuple[str, Said]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name == "ListKind":
            yield from _of_list(node)
        hint = _RAISERS.get(name) or ("law" if name.lstrip("_").startswith(("refuse", "wrong", "Refuse")) else None)
        code = _code_in(node) if hint else None
        if hint is None or code is None:
            continue
        if name == "__init__" and not any(_is_words(argument) for argument in node.args):
            continue
        yield code, Said(hint, _words_in(node), _remedy_in(node), _clause_in(node))


def _list_ends() -> tuple[str, ...]:
    return tuple(f"-{what}" for what in (*LIST_REFUSALS, "header-missing"))


def _of_list(call: ast.Call) -> Iterator[tuple[str, Said]]:
    """What is refused of a list that is filled in and sent back (`issuer.tables`): its codes share a beginning."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    pairs = {name: _pair(value.args) for name, value in given.items() if isinstance(value, ast.Call)}
    code = _text(given["code"])
    yield f"{code}-header-missing", Said("bad-input", pairs.get("no_header"), pairs.get("remedy"), None)
    for what, words in LIST_REFUSALS.items():
        hint = "too-large" if what.startswith("too-") else "bad-input"
        remedy = {"too-large": "smaller", "too-many-rows": "split"}.get(what, "remedy")
        yield f"{code}-{what}", Said(hint, (words.zh, words.en), pairs.get(remedy), None)


def _code_in(call: ast.Call) -> str | None:
    texts = [argument.value for argument in call.args[:2] if isinstance(argument, ast.Constant)]
    return next((text for text in texts if isinstance(text, str) and _CODE.fullmatch(text)), None)


def _is_words(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Words"


def _words_in(call: ast.Call) -> tuple[str, str] | None:
    for argument in call.args:
        if isinstance(argument, ast.Call) and _is_words(argument):
            return _pair(argument.args)
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    pairs = [
        _pair(value.elts) for name in ("found", "expected") if isinstance(value := keywords.get(name), ast.Tuple)
    ]
    texts = [text for argument in call.args[1:] if (text := _text(argument)) and not _CODE.fullmatch(text)]
    if len(pairs) == 2 and pairs[0] and pairs[1]:
        texts = [pairs[0][0], pairs[0][1], pairs[1][0], pairs[1][1]]
    if len(texts) >= 4:
        return f"{texts[0]}；应为：{texts[2]}。", f"{texts[1]}; required: {texts[3]}."
    return (texts[0], texts[1]) if len(texts) >= 2 else None


def _remedy_in(call: ast.Call) -> tuple[str, str] | None:
    for keyword in call.keywords:
        if keyword.arg == "remedy" and isinstance(keyword.value, ast.Call) and _is_words(keyword.value):
            return _pair(keyword.value.args)
    return None


def _clause_in(call: ast.Call) -> str | None:
    values = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "clause")]
    texts = (value.value for value in values if isinstance(value, ast.Constant))
    return next((text for text in texts if isinstance(text, str) and _CLAUSE.fullmatch(text)), None)


def _pair(nodes: list[ast.expr]) -> tuple[str, str] | None:
    texts = [_text(node) for node in nodes[:2]]
    return (texts[0], texts[1]) if len(texts) == 2 and texts[0] and texts[1] else None


def _text(node: ast.expr) -> str | None:
    """A text as it stands in the source, `…` for what is filled in; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None
