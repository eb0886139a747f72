"""What a file of this folder proves: the clause, its sentences, the rules, where staff meet it, what is recorded."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from issuer.ports import ServiceContext
from issuer.records.ledger import AuditEvent


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the notice 豫人社函〔2024〕25号 and what answers to it.

    `sentences`: quoted word for word. `rules`: the functions and tables that decide. `screens`: routes of the private
    side, as they are declared. `commands`: of `ecert`. `events`: act in the audit trail → the clause it cites (None:
    it cites none). `more_tests`: files elsewhere that go deeper. `not_covered`: what the sentence orders and the
    program does not do; empty when it does it all.
    """

    id: str
    where: str
    sentences: tuple[str, ...]
    rules: tuple[Callable[..., Any], ...]
    screens: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    events: dict[str, str | None] = field(default_factory=dict)
    more_tests: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()

    def require(self, ctx: ServiceContext, *acts: str) -> None:
        """Fail unless each of these acts was recorded, citing what `events` says it cites."""
        with ctx.database.read() as session:
            recorded = {(event.act, event.clause) for event in session.scalars(select(AuditEvent))}
        for act in acts:
            assert (act, self.events[act]) in recorded, f"{self.id}: no {act} citing {self.events[act]}: {recorded}"
