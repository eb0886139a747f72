"""A programme's certificate page with an invented person on it: what people will get, before anything is issued."""

import io
from dataclasses import dataclass

from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.context import Context
from issuer.errors import InputError, NotFoundError, Words
from issuer.records.sittings import Programme, Sitting
from issuer.rules.terms import Medium, Role
from templates.certificate.data import CertificatePage
from templates.certificate.lint import opened
from templates.certificate.page import RenderError, lint_page, missing_glyphs, render
from templates.certificate.specimen import specimen
from templates.certificate.wording import TemplateError, UnknownTemplateError, template_names, template_version
from templates.portraits import draw_portrait

READERS = (
    Role.AUTHORITY_ISSUER,
    Role.AUTHORITY_APPROVER,
    Role.SUPERVISOR,
    Role.AUDITOR,
    Role.OPERATOR,
)
SCREEN_DPI = 110


@dataclass(frozen=True, slots=True)
class Person:
    """An invented holder who shows one thing a page must be able to do."""

    words: Words
    name: str
    photo: bool = True


PEOPLE = {
    "common": Person(Words("常见姓名", "a common name"), "王芳"),
    "rare": Person(Words("生僻字", "rare characters"), "李㛃䶮"),
    "rarest": Person(Words("扩展区汉字", "characters of the extensions"), "王𠮷𣲗"),
    "long": Person(Words("长姓名", "a long name"), "阿卜杜热依木·买买提吐尔逊"),
    "latin": Person(Words("拉丁字母姓名", "a name in Latin letters"), "ALEXANDER JOHN SMITH"),
    "no-photo": Person(Words("没有照片", "without a photo"), "王芳", photo=False),
}


@dataclass(frozen=True, slots=True)
class ProgrammeLook:
    """A programme with the template its certificates are drawn by."""

    code: str
    name: str
    level: str
    authority: str
    template: str
    version: str
    """SHA-256 over everything that shapes a page; None of it changes unseen."""
    specialty: str


def list_looks(ctx: Context, actor: Actor) -> list[ProgrammeLook]:
    """Programmes with electronic certificates, by code. Raises NotAllowedError."""
    actor.require(*READERS)
    query = select(Programme).where(Programme.medium == Medium.ELECTRONIC).order_by(Programme.code)
    with ctx.database.read() as session:
        found = []
        for row in session.scalars(query):
            specialties = session.scalar(
                select(Sitting.specialties).where(Sitting.programme_code == row.code).order_by(Sitting.code.desc())
            )
            found.append(
                ProgrammeLook(
                    code=row.code,
                    name=row.name,
                    level=row.level,
                    authority=row.authority,
                    template=row.template,
                    version=template_version(row.template),
                    specialty=max(specialties, key=len) if specialties else "",
                )
            )
    return found


def look_of(ctx: Context, actor: Actor, code: str) -> ProgrammeLook:
    """One programme's; raises NotAllowedError, NotFoundError."""
    found = next((look for look in list_looks(ctx, actor) if look.code == code), None)
    if found is None:
        raise NotFoundError(
            "programme-unknown",
            Words("没有这个电子证书项目。", "There is no such programme with electronic certificates."),
            remedy=Words("先定义考试批次：ecert sitting define", "Define a sitting first: ecert sitting define"),
        )
    return found


def sample_page(
    name: str, *, template: str | None = None, look: ProgrammeLook | None = None, photo: bool = True
) -> CertificatePage:
    """A page of an invented person, always marked 示例 and 样章, in a programme's look or a bare template.

    Raises InputError for a template that is not there or a name that cannot be drawn.
    """
    chosen = look.template if look else template or "default"
    if chosen not in template_names():
        raise InputError(
            "template-unknown",
            Words(f"没有名为 {chosen} 的版式。", f"There is no template {chosen}."),
            remedy=Words(f"可选：{'、'.join(template_names())}", f"One of: {', '.join(template_names())}"),
        )
    if missing := missing_glyphs(name):
        codes = " ".join(f"U+{ord(char):04X}" for char in missing)
        raise InputError(
            "glyph-missing",
            Words(f"字库无法显示 {codes}。", f"No glyph for {codes}."),
            remedy=Words("安装 fonts-hanazono 后重试：ecert doctor", "Install fonts-hanazono; see ecert doctor."),
        )
    facts = {}
    if look is not None:
        facts = {"programme_name": look.name, "level": look.level, "authority": look.authority}
        facts |= {"specialty": look.specialty} if look.specialty else {}
    portrait = draw_portrait(7) if photo else None
    return specimen(name=name, template=chosen, sample=True, photo=portrait, **facts)


def draw(page: CertificatePage) -> tuple[bytes, tuple[str, ...]]:
    """The page as PDF (not sealed: it is no certificate), and what its lint found wrong. Raises InputError."""
    try:
        pdf = render(page)
    except (RenderError, TemplateError, UnknownTemplateError) as exc:
        raise InputError(
            "page-not-drawn",
            Words("页面无法绘制，可能有文字超出版面。", "The page cannot be drawn; a text may not fit."),
            remedy=Words("检查版式文件的文字和字号。", "Look at the template's texts and sizes."),
        ) from exc
    return pdf, lint_page(pdf, page)


def picture(pdf: bytes, *, dpi: int = SCREEN_DPI) -> bytes:
    """The first page as PNG."""
    with opened(pdf) as document:
        image = document[0].render(scale=dpi / 72).to_pil()
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
