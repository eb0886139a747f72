"""`ecert doctor`: what could go wrong on this machine, looked at before it does, each with its remedy."""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from issuer.audit_standing import refusal_of
from issuer.clock import Clock
from issuer.context import Context
from issuer.errors import DomainError
from issuer.issuance.files import file_is_whole
from issuer.migrations.runner import current, newest
from issuer.records.certificates import ECertificate
from issuer.records.sittings import Programme
from issuer.rules.policy import Policy
from issuer.settings import Settings

EXPIRY_WARNING = timedelta(days=60)
STOCK_WARNING = timedelta(days=3)
FREE_BYTES = 1 << 30
SAMPLED_FILES = 50
"""So many of the newest certificate files are read back, and as many of the others at random."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing looked at. `ok` None: works, but somebody should know."""

    name: str
    ok: bool | None
    zh: str
    en: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """As --json prints it."""
        return {
            "name": self.name,
            "ok": self.ok,
            "message": self.zh,
            "message_en": self.en,
            "remedy": self.remedy,
        }


def examine(ctx: Context) -> list[Examined]:
    """Look at everything; nothing is changed but a probe file in storage."""
    looks = (
        _key_files(ctx.settings),
        _keys(ctx),
        _fonts(),
        _databases(ctx),
        _storage(ctx),
        _certificate_files(ctx),
        _log(ctx),
        _audit(ctx),
        _stock(ctx),
        _data_keys(ctx),
        _clock(ctx, ctx.clock),
        _calendar(ctx),
        _address(ctx.settings),
    )
    return [found for look in looks for found in look]


def _key_files(settings: Settings) -> Iterator[Examined]:
    if os.name != "posix":
        return
    secret = [settings.keys_dir / name for name in ("data.key", "lookup.key", "passphrase")]
    secret += sorted((settings.keys_dir / "data").glob("*"))
    secret += sorted((settings.keys_dir / "private").glob("*"))
    secret += sorted((settings.keys_dir / "receipt").glob("*"))
    loose = [path for path in secret if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if loose:
        names = " ".join(str(path) for path in loose)
        yield Examined("key-files", False, "密钥文件可被他人读取", "others can read key files", f"chmod 600 {names}")
    else:
        yield Examined("key-files", True, "密钥文件仅所有者可读", "key files are the owner's only")


def _keys(ctx: Context) -> Iterator[Examined]:
    from keys.public.purposes import ISSUER_PURPOSES

    now = ctx.clock.now()
    for purpose in ISSUER_PURPOSES:
        try:
            ctx.room().signer(purpose)
            key = ctx.room().key_set.current(purpose)
        except Exception as exc:  # noqa: BLE001 (whatever a key store raises is the finding)
            code = getattr(exc, "code", type(exc).__name__)
            yield Examined(
                f"key-{purpose}", False, f"密钥无法打开（{code}）", f"cannot be opened ({code})", "ecert keys list"
            )
            continue
        if key.not_after - now < EXPIRY_WARNING:
            until = key.not_after.date()
            remedy = f"ecert keys rotate {purpose}"
            yield Examined(f"key-{purpose}", None, f"{until} 到期", f"runs out on {until}", remedy)
        else:
            yield Examined(f"key-{purpose}", True, "可用", "opens")


def _fonts() -> Iterator[Examined]:
    from templates.fonts import RARE_FILES, rare_font_files

    if len(rare_font_files()) == len(RARE_FILES):
        yield Examined("fonts", True, "可显示 GB 18030-2022 全部汉字", "all ideographs of GB 18030-2022 can be drawn")
    else:
        yield Examined(
            "fonts",
            None,
            "缺少花园明朝字体，含生僻字的姓名将不予制发",
            "Hanazono is missing: names with rare characters will be refused before a number is spent",
            "apt install fonts-hanazono",
        )


def _databases(ctx: Context) -> Iterator[Examined]:
    for name, engine, side in (
        ("database-issuer", ctx.database.engine, "issuer"),
        ("database-register", ctx.register_engine, "public_record"),
    ):
        at = current(engine, side)  # type: ignore[arg-type]  # a literal, through a tuple
        good = at == newest(side)  # type: ignore[arg-type]
        yield Examined(name, good, f"版本 {at}", f"revision {at}", "" if good else "ecert init")
    waiting = ctx.relay.backlog()
    yield Examined(
        "relay",
        True if waiting == 0 else None,
        f"待公布 {waiting} 条",
        f"{waiting} events wait to be published",
        "" if waiting == 0 else "ecert serve",
    )


def _storage(ctx: Context) -> Iterator[Examined]:
    try:
        ctx.storage.put("doctor/probe", b"probe")
        good = ctx.storage.get("doctor/probe") == b"probe"
    except Exception:  # noqa: BLE001 (an object store raises what it likes; the finding is the same)
        good = False
    yield Examined(
        "storage",
        good,
        "文件存储可读写" if good else "文件存储无法读写",
        "files can be written and read" if good else "files cannot be written",
        "" if good else "检查权限与磁盘空间 / check permissions and space",
    )
    free = shutil.disk_usage(ctx.settings.data_dir).free
    yield Examined(
        "disk",
        True if free > FREE_BYTES else None,
        f"剩余 {free >> 20} MiB",
        f"{free >> 20} MiB free",
        "" if free > FREE_BYTES else "清理或扩容 / make room",
    )


def _certificate_files(ctx: Context) -> Iterator[Examined]:
    """The newest files and some of all others: whether each is there and is the one that was recorded."""
    published = select(ECertificate.id).where(ECertificate.published_at.is_not(None))
    with ctx.database.read() as session:
        newest_ids = session.scalars(published.order_by(ECertificate.id.desc()).limit(SAMPLED_FILES)).all()
        others = published.where(ECertificate.id < min(newest_ids, default=0)).order_by(func.random())
        chosen = {*newest_ids, *session.scalars(others.limit(SAMPLED_FILES))}
        sample = session.scalars(select(ECertificate).where(ECertificate.id.in_(chosen))).all()
        session.expunge_all()
    bad = sum(not _is_whole(ctx, certificate) for certificate in sample)
    if not bad:
        seen = len(sample)
        yield Examined("certificate-files", True, f"抽查 {seen} 个证书文件，均完好", f"{seen} looked at, all whole")
        return
    yield Examined(
        "certificate-files",
        False,
        f"抽查 {len(sample)} 个证书文件，{bad} 个缺失或与登记不符；证书登记与核验结果不受影响",
        f"of {len(sample)} files looked at {bad} are missing or not the ones on record; the records and what "
        "checks answer are not touched by it",
        "用 ecert restore 将备份恢复到空目录，再把其中的 files/ 复制回来 / "
        "ecert restore a backup into an empty folder and copy its files/ back",
    )


def _is_whole(ctx: Context, certificate: ECertificate) -> bool:
    try:
        return file_is_whole(ctx.storage, certificate)
    except Exception:  # noqa: BLE001 (an object store raises what it likes; such a file cannot be handed out)
        return False


def _log(ctx: Context) -> Iterator[Examined]:
    try:
        size = ctx.relay.require_growth()
    except DomainError as exc:
        yield Examined("log", False, exc.words.zh, exc.words.en, str(exc.remedy or ""))
        return
    yield Examined(
        "log", True, f"公开日志 {size} 条，与已公布的一致", f"{size} entries, grown from what was published"
    )


def _audit(ctx: Context) -> Iterator[Examined]:
    place = ctx.second_place
    if place is None:
        zh, en = "审计链头没有第二存放处", "heads of the audit trail are put nowhere else"
        yield Examined("audit-place", None, zh, en, "设置 / set ECERT_AUDIT_SECOND_PLACE")
        return
    standing = place.standing()
    if not standing.writable:
        refusal = refusal_of(standing)
        yield Examined("audit-place", False, refusal.words.zh, refusal.words.en, str(refusal.remedy or ""))
    elif standing.newest is None:
        yield Examined("audit-place", None, "第二处还没有链头", "no head there yet", "ecert audit head")
    else:
        at = standing.newest.head.sequence
        yield Examined("audit-place", True, f"第二处的链头：第 {at} 条", f"the newest head there is of event {at}")


def _stock(ctx: Context) -> Iterator[Examined]:
    from issuer.personal_data.stock_take import count_findings, last_take

    with ctx.database.read() as session:
        found, last = count_findings(session), last_take(session)
    if found:
        yield Examined("stock-take", False, f"盘点发现 {found} 处不符", f"{found} do not agree", "ecert stock-take")
    elif last is None or ctx.clock.now() - last.started_at > STOCK_WARNING:
        zh, en = "三天内没有盘点", "no stock-take in the last three days"
        yield Examined("stock-take", None, zh, en, "ecert serve, ecert stock-take")
    else:
        at = f"{last.started_at:%Y-%m-%d %H:%M} UTC"
        yield Examined("stock-take", True, f"{at} 盘点，全部相符", f"{at}, everything agrees")


def _data_keys(ctx: Context) -> Iterator[Examined]:
    from issuer.personal_data.moving import unfinished

    numbers = ctx.data_key.numbers
    if unfinished(ctx):
        zh, en = "更换数据密钥后的重新加密尚未完成", "re-encryption after a rotation is not finished"
        yield Examined("data-keys", None, zh, en, "ecert keys move-data")
    elif len(numbers) > 1:
        old = " ".join(str(n) for n in numbers if n not in (ctx.data_key.value_key, ctx.data_key.index_key))
        zh, en = f"旧数据密钥 {old} 已无数据使用，尚未销毁", f"data key {old} is not needed any more"
        yield Examined("data-keys", None if old else True, zh, en, f"ecert keys retire-data {old}")
    else:
        yield Examined("data-keys", True, f"数据密钥 {numbers[0]}", f"data key {numbers[0]}")


def _clock(ctx: Context, clock: Clock) -> Iterator[Examined]:
    now, made = clock.now(), ctx.room().key_set.generated_at
    good = now >= made - timedelta(minutes=5)
    yield Examined(
        "clock",
        good,
        f"{now:%Y-%m-%d %H:%M} UTC" if good else "系统时间早于密钥生成时间",
        f"{now:%Y-%m-%d %H:%M} UTC" if good else "the clock is behind the making of the keys",
        "" if good else "校准系统时间 / set the clock (chrony, ntpd)",
    )


def _calendar(ctx: Context) -> Iterator[Examined]:
    from issuer.working_days import missing_year

    year = missing_year(ctx.clock.today())
    if year is None:
        yield Examined("calendar", True, "工作日历完整", "the calendar of working days is complete")
        return
    with ctx.database.read() as session:
        policies = [Policy.from_dict(policy) for policy in session.scalars(select(Programme.policy))]
    if policies and all(year in policy.calendar_years for policy in policies):
        yield Examined("calendar", True, f"{year} 年工作日以项目政策为准", f"{year} is in every programme's policy")
        return
    yield Examined(
        "calendar",
        None,
        f"缺少 {year} 年放假安排，跨入该年的工作日承诺暂无截止日",
        f"the holidays of {year} are missing: promises that reach into it have no last day yet",
        f"升级 chinese-calendar，或在 [policy] 中填写 calendar_years = [{year}]、days_off、days_on / "
        "upgrade chinese-calendar, or give them in [policy]",
    )


def _address(settings: Settings) -> Iterator[Examined]:
    url = settings.verify_base_url
    good = url.startswith("https://")
    yield Examined(
        "verify-address",
        True if good else None,
        f"二维码指向 {url}",
        f"QR codes point to {url}",
        "" if good else "正式使用前设置 / before real use set ECERT_VERIFY_BASE_URL=https://…",
    )
