"""Invented candidates for the demo: ordinary names, rare characters, other scripts, other documents.

Nobody here exists: every resident ID number starts with 99, a province code that was never given out
(GB/T 2260), so none of them can be a real person's.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

SURNAMES = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
GIVEN = "安邦晨德恩芳刚海慧嘉静凯兰明宁鹏琪荣思涛文欣雅泽志博彩岱尔凡桂虹骏可乐蔓楠沛清若山婷望晓意媛竹"
RARE_NAMES = (
    "李㛃䶮",  # CJK Extension A
    "王𠮷𣲗",  # CJK Extension B
    "阿卜杜热依木·买买提明",
    "古丽米热·阿布都拉",
    "欧阳𬭚",  # CJK Extension E
    "赵𬀩𬸪",
    "张㐂",
)
FOREIGN = (
    ("SMITH JOHN ALEXANDER", "护照", "E12345678"),
    ("戴杰宁", "港澳居民来往内地通行证", "H12345678"),
    ("付静远", "台湾居民来往大陆通行证", "12345678"),
)
CITIES = ("东江", "西岭", "南湖", "北川", "中原新区")
EMPLOYERS = ("示例第一建设集团有限公司", "示例水利工程局", "示例市政工程有限公司", "示例路桥股份有限公司")
SUBJECTS = ("建设工程施工管理", "建设工程法规及相关知识", "专业工程管理与实务")
SPECIALTIES = ("建筑工程", "公路工程", "水利水电工程", "市政公用工程", "矿业工程", "机电工程")

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One row of the demo roster. `flaw` names what is wrong with the row on purpose, if anything."""

    admission_no: str
    name: str
    gender: str
    id_label: str
    id_no: str
    birth_date: date
    specialty: str
    city: str
    basis: str
    scores: tuple[int | str, int | str, int | str]
    mobile: str
    employer: str
    photo: str
    flaw: str | None = None


def resident_id(region: str, born: date, order: int) -> str:
    """A resident ID number with its check digit (GB 11643-1999, ISO 7064 MOD 11-2)."""
    body = f"{region}{born:%Y%m%d}{order:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def invent_people(count: int, seed: int = 25) -> list[DemoPerson]:
    """`count` people, the same ones for the same seed. The last few carry flaws an import must find."""
    # Not for secrets: the demo must give the same people each time.
    chance = random.Random(seed)  # noqa: S311
    people = [_person(number, chance) for number in range(1, count + 1)]
    for offset, flaw in enumerate(("id-check-digit", "below-pass-mark", "no-photo"), start=1):
        if count >= 20:
            people[-offset] = _flawed(people[-offset], flaw)
    return people


def invent_for_paper(count: int, seed: int = 26) -> list[DemoPerson]:
    """`count` other people, for the exam whose certificates are on paper: ordinary names, no flaws."""
    chance = random.Random(seed)  # noqa: S311 (the same people each time)
    first = 90_001  # beyond the electronic exam's numbers, and beyond the special names
    return [_person(number, chance) for number in range(first, first + count)]


def _person(number: int, chance: random.Random) -> DemoPerson:
    born = date(1966, 1, 1) + timedelta(days=chance.randrange(365 * 34))
    male = chance.random() < 0.6
    order = chance.randrange(1, 499) * 2 + (1 if male else 0)
    id_label, id_no = "居民身份证", resident_id(f"99{chance.randrange(1, 6):02d}02", born, order)
    name = chance.choice(SURNAMES) + "".join(chance.sample(GIVEN, chance.choice((1, 2, 2, 2))))
    special = number % 25
    if special < len(RARE_NAMES) and number < 60:
        name = RARE_NAMES[special]
    elif len(RARE_NAMES) <= special < len(RARE_NAMES) + len(FOREIGN) and number < 25:
        name, id_label, id_no = FOREIGN[special - len(RARE_NAMES)]
    return DemoPerson(
        admission_no=f"992025{number:07d}",
        name=name,
        gender="男" if male else "女",
        id_label=id_label,
        id_no=id_no,
        birth_date=born,
        specialty=chance.choice(SPECIALTIES),
        city=chance.choice(CITIES),
        basis="告知承诺" if chance.random() < 0.9 else "材料审核",
        scores=(chance.randrange(60, 96), chance.randrange(60, 96), chance.randrange(72, 116)),
        mobile=f"1390000{number % 10000:04d}",
        employer=chance.choice(EMPLOYERS),
        photo=f"{number:07d}.jpg",
    )


def _flawed(person: DemoPerson, flaw: str) -> DemoPerson:
    values = {slot: getattr(person, slot) for slot in DemoPerson.__slots__} | {"flaw": flaw}
    if flaw == "id-check-digit":
        values["id_label"] = "居民身份证"
        good = resident_id("990102", person.birth_date, 7)
        values["id_no"] = good[:-1] + ("0" if good[-1] != "0" else "1")
    elif flaw == "below-pass-mark":
        values["scores"] = (71, 66, 41)
    else:
        values["photo"] = "没有这张照片.jpg"
    return DemoPerson(**values)
