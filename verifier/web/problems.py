"""Errors as `application/problem+json` (RFC 9457); every type is the address of a page that says how to mend it."""

from typing import Any, Final

from verifier.web.problem_types import CHECKING, OURS, ProblemType
from verifier.web.problem_types_employers import FOR_EMPLOYERS

PROBLEM_JSON: Final = "application/problem+json"


class Problem(Exception):
    """An answer that is an error. `detail` is one sentence in both languages, without personal data."""

    def __init__(
        self,
        slug: str,
        detail: tuple[str, str] | None = None,
        *,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
        members: dict[str, Any] | None = None,
    ) -> None:
        self.kind = PROBLEM_TYPES[slug]
        self.said = detail
        """What was said of this one case, if anything."""
        self.detail = detail or self.kind.mend[0]
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        """Further members of the problem document (RFC 9457, 3.2)."""
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, retry_after))
        super().__init__(f"{slug}: {self.detail[1]}")

    def to_json(self, base_url: str, instance: str) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "type": type_address(base_url, self.kind.slug),
            "title": f"{self.kind.zh} / {self.kind.en}",
            "status": self.kind.status,
            "detail": f"{self.detail[0]} / {self.detail[1]}",
            "instance": instance,
        }


def type_address(base_url: str, slug: str) -> str:
    """The problem type's address: also the page that explains it."""
    return f"{base_url}/help/{slug}"


PROBLEM_TYPES: Final[dict[str, ProblemType]] = {kind.slug: kind for kind in (*CHECKING, *FOR_EMPLOYERS, OURS)}
