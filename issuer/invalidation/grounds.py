"""The grounds of an invalidation as people write them, and what the public is told of them."""

from issuer.errors import InputError, Words
from issuer.rules.terms import InvalidationGround
from verifier.record.status import ReasonClass

ALIASES = {
    "R9": InvalidationGround.INELIGIBLE_IN_SUPERVISION,
    "R10": InvalidationGround.FALSE_MATERIALS,
}
"""A clause stands for the ground it is most often used with once a certificate exists."""

GROUND_WORDS = {
    InvalidationGround.INELIGIBLE_IN_REVIEW: Words("资格核查中发现不符合报考条件", "found ineligible in review"),
    InvalidationGround.INELIGIBLE_IN_SUPERVISION: Words(
        "监督检查中发现不符合报考条件", "found ineligible in supervision"
    ),
    InvalidationGround.FALSE_MATERIALS: Words("提供虚假证明材料", "false materials"),
    InvalidationGround.IMPROPER_MEANS: Words("以其他不正当手段取得", "other improper means"),
}


def parse_ground(text: str) -> InvalidationGround:
    """The ground by its code, or by the clause R9 or R10; raises InputError that lists the choices."""
    alias = ALIASES.get(text.strip().upper())
    if alias is not None:
        return alias
    try:
        return InvalidationGround(text.strip().lower())
    except ValueError:
        choices = ", ".join([*InvalidationGround, *(f"{alias} (= {ground})" for alias, ground in ALIASES.items())])
        raise InputError(
            "unknown-ground",
            Words("没有这种无效事由。", "There is no such ground."),
            remedy=Words(f"请从下列代码中选择：{choices}。", f"Choose one of: {choices}."),
        ) from None


def reason_class(ground: InvalidationGround) -> ReasonClass:
    """What the public record says: misconduct (R10) or found ineligible (R9), and nothing more."""
    return ReasonClass.MISCONDUCT if ground.clause == "R10" else ReasonClass.FOUND_INELIGIBLE
