"""What became of each person in a batch, for staff (.xlsx) and for programs (JSON): streamed, however many."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xlsxwriter
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.issuance.batches import unknown_batch
from issuer.records.certificates import Batch, BatchItem, ECertificate
from issuer.records.people import Registration
from issuer.rules.terms import Role
from issuer.words import say_in_both

READERS = (Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER, Role.SUPERVISOR, Role.AUDITOR)
"""Not the operator: the outcome names people."""
PAGE = 1000
HEADS = (
    ("登记号 registration", 14),
    ("准考证号 admission no.", 20),
    ("姓名 name", 14),
    ("结果 result", 12),
    ("说明", 26),
    ("in words", 28),
    ("原因代码 reason code", 22),
    ("条款 clause", 10),
    ("管理号 management no.", 24),
)


def outcome(ctx: Context, actor: Actor, batch_id: int) -> Iterator[dict[str, Any]]:
    """Every person of the batch by registration number, read a page at a time while it is used.

    That it was asked for is on record. Raises NotFoundError, NotAllowedError, before the first person is read.
    """
    actor.require(*READERS)
    with ctx.database.write() as session:
        if session.get(Batch, batch_id) is None:
            raise unknown_batch()
        record_event(session, ctx.clock, actor, "batch.outcome", f"batch:{batch_id}")
    return _rows(ctx, batch_id)


def outcome_json(rows: Iterator[dict[str, Any]], batch_id: int) -> Iterator[str]:
    """The outcome as one JSON document, in pieces."""
    yield f'{{"batch": {batch_id}, "people": ['
    for number, row in enumerate(rows):
        yield f"{',' if number else ''}\n{json.dumps(row, ensure_ascii=False)}"
    yield "\n]}\n"


def outcome_workbook(rows: Iterator[dict[str, Any]], target: Path) -> int:
    """The outcome as an .xlsx at `target`, all cells text and none a formula; returns how many people."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet("签发结果")
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        plain = book.add_format({"num_format": "@"})
        guarded = book.add_format({"num_format": "@", "quote_prefix": True})
        sheet.freeze_panes(1, 0)
        for column, (title, width) in enumerate(HEADS):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, head)
        for count, row in enumerate(rows, 1):
            values = (
                str(row["registration"]),
                row["admission_no"],
                row["name"],
                row["result"],
                row["message"],
                row["message_en"],
                row["code"],
                row["clause"],
                row["management_no"],
            )
            for column, value in enumerate(values):
                if value:
                    sheet.write_string(count, column, value, guarded if value[0] in "=+-@" else plain)
        sheet.autofilter(0, 0, count, len(HEADS) - 1)
    return count


def _rows(ctx: Context, batch_id: int) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        query = (
            select(BatchItem, Registration.admission_no, Registration.name, ECertificate.management_no)
            .join(Registration, BatchItem.registration_id == Registration.id)
            .outerjoin(ECertificate, BatchItem.certificate_id == ECertificate.id)
            .where(BatchItem.batch_id == batch_id, BatchItem.registration_id > after)
            .order_by(BatchItem.registration_id)
            .limit(PAGE)
        )
        with ctx.database.read() as session:
            page = session.execute(query).all()
        for item, admission_no, name, management_no in page:
            words = say_in_both("refusal" if item.code else "result", item.code or item.result)
            yield {
                "registration": item.registration_id,
                "admission_no": admission_no,
                "name": name,
                "result": item.result,
                "code": item.code,
                "clause": item.clause,
                "message": words.zh,
                "message_en": words.en,
                "management_no": management_no,
            }
        if len(page) < PAGE:
            return
        after = page[-1][0].registration_id
