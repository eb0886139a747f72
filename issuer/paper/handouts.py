"""On-site pick-up (R12): who came, what was shown, a signature or a code as proof; once."""

import base64
import hmac
import io
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from PIL import Image, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event, record_many
from issuer.errors import DomainError, InputError, NotAllowedError, Words
from issuer.paper.keeping import register_number
from issuer.paper.mail import close_bookings
from issuer.paper.sheets import CLERKS, Found, find_sheet, lawful, step
from issuer.ports import ServiceContext
from issuer.records.paper_keeping import HandoverItem
from issuer.records.paper_post import PaperHandout, PickupCode
from issuer.records.people import Person
from issuer.rules.identity import canonical_id
from issuer.rules.paper_keeping import require_not_on_register
from issuer.rules.paper_states import PaperAction, PaperState, after, require_valid_registration

CODE_DAYS = 7
MAX_TRIES = 5
MAX_SIGNATURE = 512 * 1024
_PURPOSE = "paper_pickup_codes.code"


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who comes for the holder with a letter of authorisation; personal data, encrypted at rest."""

    name: str
    id_no: str
    letter: str

    def checked(self) -> "Agent":
        """Trimmed; raises InputError when something is missing."""
        made = Agent(*(" ".join(text.split())[:80] for text in (self.name, self.id_no, self.letter)))
        if not (made.name and len(made.id_no) >= 5 and made.letter):
            raise InputError(
                "agent-incomplete",
                Words(
                    "代领须登记代领人姓名、证件号码和委托书。", "Name, ID number and letter of the agent are needed."
                ),
                remedy=Words("核验代领人证件和委托书原件后填写。", "See both originals and fill them in."),
            )
        return made


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves the handing over: the code the holder brought, or a picture of the signature (PNG or JPEG)."""

    kind: Literal["code", "signature"]
    code: str = ""
    signature: bytes = b""


def make_pickup_code(ctx: ServiceContext, actor: Actor, reference: str, person_id: int) -> tuple[str, datetime]:
    """A fresh code of eight digits for the holder, and when it ends; an earlier one no longer counts.

    Raises ConflictError when the certificate cannot be collected now, NotFoundError.
    """
    with ctx.database.write() as session, lawful():
        found = find_sheet(session, actor, reference)
        if found.paper.person_id != person_id:
            raise NotAllowedError(
                "not-yours", Words("只能为本人的证书取得提货码。", "A code is made for one's own certificate only.")
            )
        _require_collectable(session, found)
        code = f"{secrets.randbelow(10**8):08}"
        until = ctx.clock.now() + timedelta(days=CODE_DAYS)
        session.merge(
            PickupCode(
                paper_id=found.paper.id, code_index=_index(ctx, found, code), expires_at=until, tries=0, used_at=None
            )
        )
        session.flush()
        record_event(session, ctx.clock, actor, "paper.code", f"paper:{found.paper.id}", clause="R12")
    return code, until


def hand_out(
    ctx: ServiceContext,
    actor: Actor,
    reference: str,
    *,
    holder_id_no: str,
    proof: Proof,
    agent: Agent | None = None,
) -> None:
    """Hand a certificate to its holder, or to an agent, who showed the holder's ID number and gave a proof.

    Raises ConflictError (R12 paper-state: also the second time; R13 handed-over, on-register: with its number; R9),
    InputError (id-differs, code-wrong, signature-unusable, agent-incomplete), NotFoundError, NotAllowedError.
    A refused claim is put on record.
    """
    actor.require(*CLERKS)
    refusal: DomainError | None = None
    with ctx.database.write() as session:
        found = find_sheet(session, actor, reference)
        try:
            with lawful():
                _require_collectable(session, found)
                agent = agent.checked() if agent else None
                _require_same_person(ctx, session, found, holder_id_no)
                signature = _proved(ctx, session, found, proof)
                event = step(session, ctx.clock, actor, found.paper, PaperAction.COLLECT, reference=proof.kind)
        except DomainError as refused:
            refusal = refused
            record_event(
                session,
                ctx.clock,
                actor,
                "paper.collect",
                f"paper:{found.paper.id}",
                outcome="refused",
                clause=refused.clause or "R12",
                details={"code": refused.code},
            )
        else:
            _put_on_record(ctx, session, actor, found, proof.kind, signature, agent)
            record_many(session, ctx.clock, actor, [event])
    if refusal is not None:
        raise refusal


def _put_on_record(
    ctx: ServiceContext,
    session: Session,
    actor: Actor,
    found: Found,
    kind: str,
    signature: str | None,
    agent: Agent | None,
) -> None:
    paper = found.paper
    paper.box_id = None
    close_bookings(session, ctx.clock, paper.id)
    for item in session.scalars(
        select(HandoverItem).where(HandoverItem.paper_id == paper.id, HandoverItem.position.is_(None))
    ):
        item.withdrawn = True
    session.add(
        PaperHandout(
            paper_id=paper.id,
            receiver="agent" if agent else "holder",
            proof=kind,
            signature=signature,
            agent_name=agent.name if agent else None,
            agent_id_no=canonical_id(agent.id_no) if agent else None,
            letter=agent.letter if agent else None,
            handed_by=actor.username,
            at=ctx.clock.now(),
        )
    )
    session.flush()


def _require_collectable(session: Session, found: Found) -> None:
    number = register_number(session, found.paper)
    require_not_on_register(number, handed_over=found.state is PaperState.HANDED_OVER)
    require_valid_registration(found.registration.void_since is not None)
    after(found.state, PaperAction.COLLECT)


def _require_same_person(ctx: ServiceContext, session: Session, found: Found, id_no: str) -> None:
    person = session.get_one(Person, found.paper.person_id)
    shown = ctx.data_key.blind_indexes("persons.id_no", canonical_id(id_no)[:64])
    if not any(hmac.compare_digest(person.id_index, each) for each in shown):
        raise InputError(
            "id-differs",
            Words(
                "出示的证件号码与持证人不一致，未发放。",
                "The ID number is not the holder's; nothing was handed over.",
            ),
            remedy=Words("核对证件原件和证书编号。", "Compare the original document and the certificate."),
            clause="R12",
        )


def _proved(ctx: ServiceContext, session: Session, found: Found, proof: Proof) -> str | None:
    if proof.kind == "signature":
        return base64.b64encode(_usable_picture(proof.signature)).decode()
    row = session.get(PickupCode, found.paper.id, with_for_update=True)
    now = ctx.clock.now()
    good = row is not None and row.used_at is None and row.expires_at > now and row.tries < MAX_TRIES
    if row is not None:
        row.tries += 1
    given = "".join(char for char in proof.code if char.isascii() and char.isdigit())
    if not good or row is None or not hmac.compare_digest(row.code_index, _index(ctx, found, given)):
        raise InputError(
            "code-wrong",
            Words(
                "提货码不正确、已使用或已过期，未发放。",
                "The code is wrong, used or out of date; nothing was handed over.",
            ),
            remedy=Words(
                "请持证人在 /my/ 重新取码，或现场签名。", "Ask for a fresh code on /my/, or for a signature."
            ),
            clause="R12",
        )
    row.used_at = now
    return None


def _usable_picture(content: bytes) -> bytes:
    try:
        if not 0 < len(content) <= MAX_SIGNATURE:
            raise ValueError("size")
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
            if min(picture.size) < 40 or max(picture.size) > 4000:
                raise ValueError("size")
            picture.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise InputError(
            "signature-unusable",
            Words(
                "签名图片无法使用，未发放。", "The picture of the signature cannot be used; nothing was handed over."
            ),
            remedy=Words("上传 512 KB 内的 PNG 或 JPEG 图片。", "Send a PNG or JPEG of at most 512 KB."),
        ) from exc
    return content


def _index(ctx: ServiceContext, found: Found, code: str) -> str:
    return ctx.data_key.blind_index(_PURPOSE, f"{found.paper.id}|{code}")
