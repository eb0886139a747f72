"""Issuing a whole sitting: plan → intent → press → record → publish, in groups, from wherever it stopped."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.context import Context
from issuer.errors import ConflictError, UnavailableError, Words
from issuer.issuance.batches import (
    close_batch,
    hold_batch,
    note_trouble,
    open_batch,
    people_of,
    state_of,
    unfinished,
)
from issuer.issuance.files import file_is_whole
from issuer.issuance.intent import intend
from issuer.issuance.leftovers import remove_lost_files
from issuer.issuance.lock import exclusive
from issuer.issuance.plan import IssuePlan, Refused, chunks, plan_issue
from issuer.issuance.publish import publish_checked, record_outcomes
from issuer.issuance.workers import Outcome, Press, Trouble, open_press
from issuer.records.certificates import Batch, ECertificate
from issuer.rules.terms import Role

_log = logging.getLogger(__name__)
GROUP = 40
"""Certificates in one group commit: large enough that syncing the disk does not set the pace, small enough
that a crash repeats only a second's work."""

Progress = Callable[[int, int], None]
"""Called with (finished, of how many)."""
Observer = Callable[[str], None]
"""Called with the name of each step that has just been completed."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What an issue did. `published` counts this run; `already` those published by earlier ones."""

    batch: int
    sitting: str
    published: int
    already: int
    refused: tuple[Refused, ...]
    seconds: float
    cancelled: bool = False
    management_nos: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """As --json and the API write it."""
        return {
            "batch": self.batch,
            "sitting": self.sitting,
            "published": self.published,
            "already_published": self.already,
            "refused": [refused.to_json() for refused in self.refused],
            "seconds": round(self.seconds, 3),
            "cancelled": self.cancelled,
        }


def preview_issue(
    ctx: Context, actor: Actor, sitting_code: str, tell: Callable[[int, int], None] | None = None
) -> IssuePlan:
    """What `issue_sitting` would do now, with the digest it can be held to. Changes nothing."""
    actor.require(Role.AUTHORITY_ISSUER)
    with ctx.database.read() as session:
        return plan_issue(session, ctx.clock, sitting_code, ctx.settings.verify_base_url, tell=tell)


def issue_sitting(
    ctx: Context,
    actor: Actor,
    sitting_code: str,
    workers: int = 0,
    on_progress: Progress | None = None,
    *,
    expected_digest: str | None = None,
    observe: Observer | None = None,
) -> BatchReport:
    """Issue to everybody in the sitting to whom the law allows it today; continue what an earlier run began.

    Idempotent: nobody gets two certificates, a draft keeps its number and token. `workers` 0: one process per
    core. Raises NotFoundError, NotAllowedError, ConflictError (another issue of this sitting is running, or
    the state has moved since the plan with `expected_digest`), UnavailableError (a key, the time service or a
    worker failed; what was published stands).
    """
    actor.require(Role.AUTHORITY_ISSUER)
    with exclusive(ctx.settings, ctx.database, f"sitting/{sitting_code}"):
        plan = preview_issue(ctx, actor, sitting_code)
        if expected_digest is not None and expected_digest != plan.digest:
            raise ConflictError(
                "plan-moved",
                Words("计划之后情况已变化，未作任何改动。", "Things have moved since the plan; nothing was changed."),
                remedy=Words(
                    "重新运行 --plan，核对后再办理。", "Run --plan again, look at it, then apply the new digest."
                ),
            )
        begun = unfinished(ctx, sitting_code, kind="sitting")
        batch = open_batch(ctx, actor, plan, batch_id=begun[0][0] if begun else None)
        return _Run(ctx, actor, plan, batch, on_progress, observe).all(workers)


def issue_batch(ctx: Context, actor: Actor, batch_id: int, *, observe: Observer | None = None) -> BatchReport:
    """Work on one batch until it ends or is stopped: on everybody, or (urgent, retry) on those who stand in it.

    Idempotent, and raises, as `issue_sitting`. A batch that a key or the time service stopped is paused: nobody
    would take it up again by himself.
    """
    actor.require(Role.AUTHORITY_ISSUER)
    with ctx.database.read() as session:
        batch = session.get_one(Batch, batch_id)
        only = None if batch.kind == "sitting" else people_of(session, batch_id)
    with exclusive(ctx.settings, ctx.database, f"sitting/{batch.sitting_code}"):
        with ctx.database.read() as session:
            plan = plan_issue(session, ctx.clock, batch.sitting_code, ctx.settings.verify_base_url, only=only)
        open_batch(ctx, actor, plan, batch_id=batch_id)
        try:
            return _Run(ctx, actor, plan, batch_id, None, observe, only).all(0)
        except UnavailableError as trouble:
            hold_batch(ctx, actor, batch_id, trouble.code)
            raise


@dataclass
class _Run:
    ctx: Context
    actor: Actor
    plan: IssuePlan
    batch: int
    on_progress: Progress | None
    observe: Observer | None
    only: set[int] | None = None
    refused: dict[int, Refused] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    finished: int = 0
    stopped: bool = False
    trouble: Trouble | None = None

    def all(self, workers: int) -> BatchReport:
        """Every step for everybody in the plan."""
        started = time.monotonic()
        self._refuse(self.plan.refused)
        work = sorted((*self.plan.new, *self.plan.resumed))
        self.ctx.publish()  # what a crash left between commit and publication
        self._publish_waiting()
        with open_press(self.ctx, len(work), workers) as press:
            self._feed(press, work)
        if self.trouble is not None:
            raise self.trouble.error()
        state = state_of(self.ctx, self.batch)
        # Stopped and running again: it was paused and let go on meanwhile, and is not at its end.
        if state == "cancelled" or (state == "running" and not self.stopped):
            close_batch(self.ctx, self.actor, self.batch, published=len(self.numbers), refused=len(self.refused))
            self._tell("closed")
        self._tidy()
        return BatchReport(
            batch=self.batch,
            sitting=self.plan.sitting,
            published=len(self.numbers),
            already=len(self.plan.done),
            refused=tuple(self.refused[number] for number in sorted(self.refused)),
            seconds=time.monotonic() - started,
            cancelled=self.stopped,
            management_nos=tuple(self.numbers),
        )

    def _tidy(self) -> None:
        """Remove the files of attempts that a crash ended, here where no worker does."""
        try:
            remove_lost_files(self.ctx)
        except (UnavailableError, OSError) as exc:
            _log.info("tidying is put off: %s", type(exc).__name__)

    def _feed(self, press: Press, work: list[int]) -> None:
        ready: list[Outcome] = []
        for group in chunks(work, GROUP):
            if self._is_stopped() or self.trouble is not None:
                break
            intended = intend(self.ctx, self.actor, self.plan.sitting, group, batch_id=self.batch)
            self._tell("intended")
            self._refuse(intended.refused)
            for order in intended.orders:
                press.submit(order)
                self._tell("pressed")
            ready = self._settle([*ready, *self._made(press.done())])
        self._settle([*ready, *self._made(press.done(finish=True))], rest=True)

    def _made(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """Those that are settled; of the others is kept, per person, what stood in the way."""
        made: list[Outcome] = []
        for outcome in outcomes:
            if outcome.trouble is None:
                made.append(outcome)
                continue
            self.trouble = self.trouble or outcome.trouble
            note_trouble(self.ctx, self.batch, [outcome.order.registration_id], outcome.trouble.code)
        return made

    def _settle(self, outcomes: list[Outcome], *, rest: bool = False) -> list[Outcome]:
        while len(outcomes) >= GROUP or (rest and outcomes):
            group, outcomes = outcomes[:GROUP], outcomes[GROUP:]
            self._refuse(record_outcomes(self.ctx, self.actor, group, batch_id=self.batch))
            self._tell("recorded")
            self._publish([outcome.order.certificate_id for outcome in group if outcome.code is None])
        return outcomes

    def _publish(self, certificate_ids: list[int]) -> None:
        if not certificate_ids or self._is_stopped():
            return
        published, abandoned = publish_checked(
            self.ctx, self.actor, self.plan.sitting, certificate_ids, batch_id=self.batch
        )
        self._tell("published")
        self._refuse(abandoned)
        self.numbers.extend(row.management_no for row in published)
        self.finished += len(published)
        if self.on_progress:
            self.on_progress(self.finished, len(self.plan.new) + len(self.plan.resumed))

    def _publish_waiting(self) -> None:
        """Sealed and recorded before a crash, with the file whole: nothing is left but to publish."""
        with self.ctx.database.read() as session:
            statement = select(ECertificate).where(
                ECertificate.sitting_code == self.plan.sitting,
                ECertificate.state == "checked",
                ECertificate.supersedes_id.is_(None),
            )
            waiting = list(session.scalars(statement))
        if self.only is not None:
            waiting = [row for row in waiting if row.registration_id in self.only]
        whole = [row.id for row in waiting if file_is_whole(self.ctx.storage, row)]
        for group in chunks(whole, GROUP):
            self._publish(list(group))

    def _refuse(self, refused: Iterable[Refused]) -> None:
        self.refused.update({each.registration: each for each in refused})

    def _is_stopped(self) -> bool:
        self.stopped = self.stopped or state_of(self.ctx, self.batch) != "running"
        return self.stopped

    def _tell(self, step: str) -> None:
        if self.observe:
            self.observe(step)
