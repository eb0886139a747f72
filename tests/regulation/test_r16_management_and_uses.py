"""R16, 三（二）: certificates are managed and risks held down; electronic certificates are shared and put to use."""

from datetime import timedelta

import pytest

from issuer.holders.copies import make_copy, withdraw_copy
from issuer.paper import making, stock
from issuer.rules.copies import clean_purpose, may_copy
from issuer.rules.paper_stock import require_enough, require_new, require_second_count
from issuer.rules.terms import ReviewOutcome
from issuer.rules.violation import RuleViolation
from issuer.rules.watching import WATCHES_PER_ADDRESS, require_room
from tests.factories.copies import PURPOSE, holder_of_certificate
from tests.factories.paper_office import CLERK, SECOND, PaperDesk
from tests.factories.world import World
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from verifier.record.verdict import Verdict

CLAUSE = Clause(
    "R16",
    "三（二）",
    (
        "按照便民利民原则，全面推广证书预约邮寄服务，提高证书发放效率。"
        "加强证书管理和风险防控，推广电子证书数据共享和应用场景范围。",
    ),
    rules=(require_second_count, require_new, require_enough, clean_purpose, may_copy, require_room),
    screens=(
        "/console/paper/stock",
        "/my/certificates/{management_no}/copies",
        "/watch/{token}",
        "/console/templates",
    ),
    commands=("paper stock receive", "paper stock confirm", "paper stock spoil", "paper spoil"),
    events={
        "paper.stock.receive": "R16",
        "paper.stock.confirm": "R16",
        "paper.stock.spoil": "R16",
        "paper.spoil": "R16",
        "copy.publish": "R16",
        "copy.withdraw": "R16",
    },
    more_tests=(
        "tests/issuer/holders/test_copies.py",
        "tests/issuer/sharing/test_watching.py",
        "tests/issuer/paper/test_paper_properties.py",
    ),
)


def test_r16_forms_count_once_two_people_agree(desk: PaperDesk, refusal: Refusal) -> None:
    ctx = desk.ctx
    receipt = stock.receive(ctx, CLERK, "EJJZ", "B0001", "B0010")
    assert refusal(lambda: stock.confirm(ctx, CLERK, receipt.id, 10)) == ("two-people", "R16")
    assert refusal(lambda: stock.confirm(ctx, SECOND, receipt.id, 9)) == ("count-differs", "R16")
    stock.confirm(ctx, SECOND, receipt.id, 10)
    assert refusal(lambda: stock.receive(ctx, CLERK, "EJJZ", "B0010", "B0011")) == ("serials-known", "R16")
    stock.spoil_blank(ctx, CLERK, "B0001", "damaged")
    (balance,) = stock.balances(ctx, CLERK)
    assert balance.received == balance.in_stock + balance.used + balance.spoiled == 30
    CLAUSE.require(ctx, "paper.stock.receive", "paper.stock.confirm", "paper.stock.spoil")


def test_r16_a_misprint_is_written_off_and_printed_again(desk: PaperDesk, refusal: Refusal) -> None:
    (serial, *_) = [serial for serial, _ in making.print_sitting(desk.ctx, CLERK, desk.sitting).printed]
    making.spoil(desk.ctx, CLERK, serial, "misprint")
    assert len(making.print_sitting(desk.ctx, CLERK, desk.sitting).printed) == 1
    for left in range(6, 21):
        stock.spoil_blank(desk.ctx, CLERK, f"A{left:04}", "lost")
    desk.world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    assert refusal(lambda: making.print_sitting(desk.ctx, CLERK, desk.sitting)) == ("stock-short", "R16")
    CLAUSE.require(desk.ctx, "paper.spoil")


def test_r16_a_copy_serves_one_purpose_and_ends(world_copy: World, refusal: Refusal) -> None:
    holder, number = holder_of_certificate(world_copy)
    last = world_copy.clock.today() + timedelta(days=29)
    ctx, too_late = world_copy.ctx, last + timedelta(days=61)
    assert refusal(lambda: make_copy(ctx, holder, number, PURPOSE, too_late)) == ("copy-term", "R16")
    copy, *_ = [make_copy(ctx, holder, number, PURPOSE, last) for _ in range(3)]
    assert refusal(lambda: make_copy(ctx, holder, number, PURPOSE, last)) == ("copies-limit", "R16")
    assert world_copy.checker().check_token(copy.token).verdict is Verdict.VALID
    withdraw_copy(ctx, holder, copy.id)
    assert world_copy.checker().check_token(copy.token).verdict is not Verdict.VALID
    CLAUSE.require(ctx, "copy.publish", "copy.withdraw")


def test_r16_an_address_watches_so_many_certificates_and_no_more() -> None:
    require_room(WATCHES_PER_ADDRESS - 1)
    with pytest.raises(RuleViolation) as refused:
        require_room(WATCHES_PER_ADDRESS)
    assert (refused.value.clause, refused.value.code) == ("R16", "watches-limit")
