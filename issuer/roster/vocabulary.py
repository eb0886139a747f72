"""What rosters call things: documents, genders, bases of application."""

from issuer.roster.columns import head_key
from issuer.rules.terms import ApplicationBasis, IdType

ID_TYPES: dict[str, IdType] = {
    "居民身份证": IdType.RESIDENT_ID,
    "身份证": IdType.RESIDENT_ID,
    "中华人民共和国居民身份证": IdType.RESIDENT_ID,
    "二代身份证": IdType.RESIDENT_ID,
    "港澳居民来往内地通行证": IdType.HK_MACAU_PERMIT,
    "港澳来往内地通行证": IdType.HK_MACAU_PERMIT,
    "港澳通行证": IdType.HK_MACAU_PERMIT,
    "回乡证": IdType.HK_MACAU_PERMIT,
    "台湾居民来往大陆通行证": IdType.TAIWAN_PERMIT,
    "台湾居民往来大陆通行证": IdType.TAIWAN_PERMIT,
    "台胞证": IdType.TAIWAN_PERMIT,
    "港澳台居民居住证": IdType.RESIDENCE_PERMIT,
    "港澳居民居住证": IdType.RESIDENCE_PERMIT,
    "台湾居民居住证": IdType.RESIDENCE_PERMIT,
    "中华人民共和国港澳居民居住证": IdType.RESIDENCE_PERMIT,
    "中华人民共和国台湾居民居住证": IdType.RESIDENCE_PERMIT,
    "外国人永久居留身份证": IdType.FOREIGNER_PERMIT,
    "外国人永久居留证": IdType.FOREIGNER_PERMIT,
    "中华人民共和国外国人永久居留身份证": IdType.FOREIGNER_PERMIT,
    "护照": IdType.PASSPORT,
    "普通护照": IdType.PASSPORT,
    "外国护照": IdType.PASSPORT,
    "passport": IdType.PASSPORT,
} | {kind.value: kind for kind in IdType}
"""What a roster calls a document → its type. Compared as heads are."""

_ID_TYPE_OF = {head_key(name): kind for name, kind in ID_TYPES.items()}
GENDERS = {"男": "男", "男性": "男", "m": "男", "male": "男", "女": "女", "女性": "女", "f": "女", "female": "女"}
BASES = {
    "告知承诺": ApplicationBasis.COMMITMENT,
    "告知承诺制": ApplicationBasis.COMMITMENT,
    "承诺": ApplicationBasis.COMMITMENT,
    "commitment": ApplicationBasis.COMMITMENT,
    "材料审核": ApplicationBasis.EVIDENCE,
    "非告知承诺": ApplicationBasis.EVIDENCE,
    "提交材料": ApplicationBasis.EVIDENCE,
    "人工核查": ApplicationBasis.EVIDENCE,
    "evidence": ApplicationBasis.EVIDENCE,
}
ID_EMPTY = ("证件号码为空", "the ID number is empty")
ID_FILL = ("填写证件号码", "fill in the ID number")


def id_type_of(text: str) -> IdType | None:
    """The type of document that `text` (compared as heads are) names."""
    return _ID_TYPE_OF.get(head_key(text))
