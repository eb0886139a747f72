"""Who acts: passed to every service, written into every event."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from issuer.errors import NotAllowedError, Words
from issuer.rules.terms import Role


class ResetReason(StrEnum):
    """Why somebody's second factor is taken off; a code, since the audit trail keeps no free text."""

    LOST = "lost"
    REPLACED = "replaced"
    BROKEN = "broken"
    SUSPECTED = "suspected"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody (or the system itself) doing something.

    `programmes` and `cities` limit a review body to its own (R1); empty means no limit for authority
    roles and nothing at all for review bodies.
    """

    username: str
    roles: frozenset[Role]
    via: Literal["cli", "api", "console", "holder", "system"]
    programmes: frozenset[str] = field(default_factory=frozenset)
    cities: frozenset[str] = field(default_factory=frozenset)

    def require(self, *roles: Role) -> None:
        """Raise NotAllowedError unless the actor has one of `roles`."""
        if not self.roles.intersection(roles):
            raise NotAllowedError(
                "role-missing",
                Words("当前账号没有办理此事项的权限。", "This account may not do that."),
                remedy=Words(
                    f"请由具备下列角色的人员办理：{'、'.join(roles)}。",
                    f"Ask someone with one of these roles: {', '.join(roles)}.",
                ),
            )

    def require_programme(self, programme_code: str, city: str | None = None) -> None:
        """Raise NotAllowedError when a review body reaches outside its programmes or its city (R1)."""
        if self.roles - {Role.REVIEW_BODY}:
            return
        if programme_code in self.programmes and (not self.cities or city is None or city in self.cities):
            return
        raise NotAllowedError(
            "outside-own-programmes",
            Words(
                "资格核查部门只能查看和办理本部门的考试项目。",
                "A review body sees and decides only its own programmes.",
            ),
            remedy=Words("请联系该项目的资格核查部门。", "Contact the review body of that programme."),
            clause="R1",
        )


SYSTEM = Actor(username="system", roles=frozenset(Role), via="system")
"""The software itself: clock-driven acts and start-up work."""
