"""What both chains of the benchmark work with: keys of one ceremony, invented people, their portraits."""

import base64
import hashlib
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from issuer.clock import SystemClock
from issuer.issuance.content import CertificateContent
from issuer.sealing.room import SealingRoom, first_ceremony, open_sealing_room
from issuer.settings import Settings
from templates.portraits import draw_portrait

PORTRAITS = 24
_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲志建红宇浩然梓涵子轩雨泽思琪佳怡睿晨欣妍诺依一"
_SPECIALTIES = ("市政公用工程", "建筑工程", "机电工程", "公路工程")


def open_room(folder: Path) -> SealingRoom:
    """The sealing room of a data folder; the ceremony is held when it is empty."""
    settings = Settings(data_dir=folder)
    if not settings.keys_dir.exists():
        first_ceremony(settings, datetime.now(UTC) - timedelta(days=1))
    return open_sealing_room(settings, SystemClock())


def portraits() -> list[bytes]:
    """Portraits as a roster brings them: JPEG, 295 x 413, about 10 kB."""
    return [draw_portrait(number) for number in range(PORTRAITS)]


def people(count: int, seed: int = 1) -> list[CertificateContent]:
    """Contents of `count` different certificates: names of two and three characters, one in twenty with a dot."""
    chance = random.Random(seed)
    made_at = datetime.now(UTC).replace(microsecond=0)
    first = CertificateContent(
        token="",
        management_no="",
        name="",
        gender="男",
        id_type="resident-id",
        id_no="",
        programme_code="EJJZ",
        programme_name="二级建造师",
        level="二级",
        specialty="",
        approved_on=date(2025, 6, 8),
        issued_on=date(2025, 11, 3),
        authority="示例省人力资源和社会保障厅",
        list_id="1",
        list_index=0,
        template="constructor-2",
        base_url="https://zs.example.org.cn",
        photo_key=None,
        sample=True,
        made_at=made_at,
    )
    out = []
    for number in range(count):
        given = "".join(chance.choices(_GIVEN, k=chance.choice((1, 2, 2))))
        name = chance.choice(_FAMILY) + given
        token = base64.b32encode(hashlib.sha256(b"%d.%d" % (seed, number)).digest()[:16]).decode().rstrip("=")
        out.append(
            replace(
                first,
                token=token,
                name=f"古丽{given}·{name}" if number % 20 == 19 else name,
                gender=chance.choice("男女"),
                id_no=f"990101{chance.randrange(1960, 2004)}0101{chance.randrange(10_000):04}",
                management_no=f"2025990400{number:05}",
                specialty=chance.choice(_SPECIALTIES),
                list_index=number,
            )
        )
    return out
