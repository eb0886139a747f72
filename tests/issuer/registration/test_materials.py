"""Papers handed in: what is taken, who may look, what is kept of each; and files that mean harm."""

import io
import zlib
from datetime import date

import pytest
from PIL import Image
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError, TooLargeError, UnavailableError
from issuer.holders.sign_in import Holder
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.records.registration import Material
from issuer.registration import materials, pictures
from issuer.registration.pictures import Inspected, inspect_file, page_picture
from issuer.rules.terms import Role
from tests.factories.registration_facts import BODY, STRANGER, FactsWorld, a_pdf, a_picture, answer
from tests.factories.small_world import staff

CERTIFICATE = "education-certificate"
AUDITOR = staff("auditor", Role.AUDITOR)


@pytest.fixture
def asked(world: FactsWorld) -> int:
    """Somebody whose certificate is asked for."""
    (number,) = world.declare(1)
    world.compare([answer(1, 学历="大专", 所学专业="土木工程", 工作年限="6")])
    return number


def give(world: FactsWorld, number: int, content: bytes, name: str = "证书.jpg", **more: object) -> int:
    person = world.person(number)
    kind = str(more.pop("kind", CERTIFICATE))
    return materials.hand_in(world.ctx, person, Holder(person, "c").actor, number, kind, name, content, **more)  # type: ignore[arg-type]


def rows(world: FactsWorld) -> list[Material]:
    with world.context.database.read() as session:
        return list(session.scalars(select(Material).order_by(Material.id)))


def acts(world: FactsWorld) -> list[tuple[str, str | None]]:
    with world.context.database.read() as session:
        return [
            (event.act, event.clause) for event in session.scalars(select(AuditEvent).order_by(AuditEvent.sequence))
        ]


def test_a_paper_is_kept_encrypted_with_its_type_by_content(world: FactsWorld, asked: int) -> None:
    content = a_picture(text="SECRET")
    number = give(world, asked, content, "C:\\扫描\\毕业证\u202e.pdf")
    (row,) = rows(world)
    assert (row.id, row.media_type, row.pages, row.size) == (number, "image/jpeg", 1, len(content))
    assert row.file_name == "毕业证.pdf", "neither a path nor a sign that turns the writing"
    stored = b"".join(path.read_bytes() for path in (world.folder / "files").rglob("*") if path.is_file())
    assert content[:64] not in stored
    assert len(stored) > len(content)
    assert ("material.give", "R3") in acts(world)
    assert give(world, asked, content) == number, "the same file again is the same paper"


def test_replaced_and_taken_back_it_stays(world: FactsWorld, asked: int) -> None:
    first = give(world, asked, a_picture())
    second = give(world, asked, a_pdf(), "证书.pdf", replaces=first)
    person = world.person(asked)
    materials.take_back(world.ctx, person, Holder(person, "c").actor, second)
    assert [(row.state, row.replaced_by, row.pages) for row in rows(world)] == [
        ("replaced", second, 1),
        ("withdrawn", None, 2),
    ]
    assert materials.look_at_own(world.ctx, person, first, 1).startswith(b"\x89PNG")
    with pytest.raises(NotFoundError):
        give(world, asked, a_picture(text="x"), replaces=second)


def test_only_what_is_asked_is_taken_and_only_so_many(world: FactsWorld, asked: int) -> None:
    with pytest.raises(ConflictError) as refused:
        give(world, asked, a_picture(), kind="employment-proof")
    assert (refused.value.code, refused.value.clause) == ("material-not-asked", "R15")
    with pytest.raises(InputError):
        give(world, asked, a_picture(), kind="a story")
    for number in range(materials.MAX_FILES):
        give(world, asked, a_picture(size=(60, 60 + number)))
    with pytest.raises(ConflictError) as full:
        give(world, asked, a_picture(size=(61, 61)))
    assert full.value.code == "materials-too-many"


def test_nothing_is_taken_too_late_or_of_a_void_registration(world: FactsWorld, asked: int) -> None:
    world.context.clock.move_to(date(2025, 11, 2))  # type: ignore[attr-defined]
    with pytest.raises(ConflictError) as late:
        give(world, asked, a_picture())
    assert (late.value.code, late.value.clause) == ("materials-closed", "R7")
    with world.context.database.write() as session:
        session.get_one(Registration, asked).void_since = world.context.clock.now()
    with pytest.raises(ConflictError) as void:
        give(world, asked, a_picture())
    assert void.value.clause == "R9"
    assert rows(world) == []


def test_nobody_hands_in_looks_or_takes_back_for_another(world: FactsWorld, asked: int) -> None:
    number = give(world, asked, a_picture())
    (other,) = world.declare(1)
    stranger = world.person(other)
    actor = Holder(stranger, "c").actor
    with pytest.raises(NotFoundError):
        materials.hand_in(world.ctx, stranger, actor, asked, CERTIFICATE, "x.jpg", a_picture())
    with pytest.raises(NotFoundError):
        materials.take_back(world.ctx, stranger, actor, number)
    with pytest.raises(NotFoundError):
        materials.look_at_own(world.ctx, stranger, number, 1)


@pytest.mark.parametrize(
    ("actor", "code"), [(STRANGER, "outside-own-programmes"), (staff("op", Role.OPERATOR), "role-missing")]
)
def test_who_may_look_and_decide(world: FactsWorld, asked: int, actor: Actor, code: str) -> None:
    number = give(world, asked, a_pdf())
    for act in (
        lambda: materials.look(world.ctx, actor, number, 1),
        lambda: materials.describe(world.ctx, actor, number),
        lambda: materials.judge(world.ctx, actor, number, accepted=True),
    ):
        with pytest.raises(NotAllowedError) as refused:
            act()
        assert refused.value.code == code
    with pytest.raises(NotAllowedError):
        materials.judge(world.ctx, AUDITOR, number, accepted=True)
    assert materials.look(world.ctx, AUDITOR, number, 2).startswith(b"\x89PNG")
    assert acts(world).count(("material.look", None)) == 1, "each look is on record, a refused one is none"
    for page in (0, 3):
        with pytest.raises(NotFoundError):
            materials.look(world.ctx, AUDITOR, number, page)


def test_declined_with_a_reason_and_decided_once(world: FactsWorld, asked: int) -> None:
    number = give(world, asked, a_picture())
    with pytest.raises(InputError) as silent:
        materials.judge(world.ctx, BODY, number, accepted=False, note=" 否 ")
    assert silent.value.code == "note-missing"
    materials.judge(world.ctx, BODY, number, accepted=False, note="照片不完整，请重拍。")
    (row,) = rows(world)
    assert (row.state, row.note, row.decided_by) == ("declined", "照片不完整，请重拍。", "body")
    with pytest.raises(ConflictError) as again:
        materials.judge(world.ctx, BODY, number, accepted=True)
    assert again.value.code == "material-decided"
    assert ("material.decline", "R3") in acts(world)
    second = give(world, asked, a_picture(text="WHOLE"))
    materials.judge(world.ctx, BODY, second, accepted=True)
    with pytest.raises(ConflictError) as settled:
        give(world, asked, a_picture(text="MORE"))
    assert settled.value.code == "material-not-asked", "what was accepted is not asked for again"


def test_a_lost_file_is_told_as_such(world: FactsWorld, asked: int) -> None:
    number = give(world, asked, a_picture())
    for path in (world.folder / "files").rglob("*.enc"):
        path.unlink()
    with pytest.raises(UnavailableError) as refused:
        materials.look(world.ctx, AUDITOR, number, 1)
    assert refused.value.code == "material-file-missing"


def bomb() -> bytes:
    """A small PNG of 400 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    side = 20_000
    head = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


HOSTILE_PDF = b"""%PDF-1.7
1 0 obj <</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>
/Names<</EmbeddedFiles<</Names[(a.exe) 5 0 R]>>>>>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Annots[4 0 R]>> endobj
4 0 obj <</Type/Annot/Subtype/Link/Rect[0 0 200 200]/A<</S/URI/URI(http://127.0.0.1:9/)>>>> endobj
5 0 obj <</Type/Filespec/F(a.exe)>> endobj
trailer <</Root 1 0 R>>
"""


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "material-empty"),
        (b"MZ\x90\x00 a program", "material-unusable"),
        (b"<html><script>alert(1)</script></html>", "material-unusable"),
        (b"GIF89a" + bytes(100), "material-unusable"),
        (b"%PDF-1.7\nnothing more", "material-unusable"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "material-unusable"),
        (a_picture("PNG")[:200], "material-unusable"),
        (bomb(), "material-unusable"),
        (a_pdf(31), "material-unusable"),
    ],
)
def test_files_that_are_no_papers(content: bytes, code: str) -> None:
    with pytest.raises(InputError) as refused:
        inspect_file(content)
    assert refused.value.code == code


def test_a_file_over_the_limit_is_not_opened_at_all() -> None:
    with pytest.raises(TooLargeError):
        inspect_file(bytes(pictures.MAX_BYTES + 1))


def test_of_a_document_with_a_script_only_its_page_is_painted() -> None:
    assert inspect_file(HOSTILE_PDF) == Inspected("application/pdf", 1)
    picture = page_picture(HOSTILE_PDF, 1)
    assert not any(word in picture for word in (b"JavaScript", b"a.exe", b"http"))
    with Image.open(io.BytesIO(picture)) as opened:
        assert (opened.format, opened.width) == ("PNG", 1400)


def test_a_photograph_is_turned_upright_and_loses_what_it_knows_of_its_owner() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "taken at home"
    out = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(out, "JPEG", exif=exif)
    picture = page_picture(out.getvalue(), 1)
    assert b"taken at home" not in picture
    with Image.open(io.BytesIO(picture)) as opened:
        assert opened.size == (200, 300)


def test_a_process_that_breaks_is_the_files_fault_one_that_does_not_start_is_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "WALL_SECONDS", 0.0)
        with pytest.raises(InputError) as slow:
            inspect_file(a_picture())
    assert slow.value.code == "material-unusable"
    monkeypatch.setattr(pictures.sys, "executable", "no-such-python")
    with pytest.raises(UnavailableError):
        inspect_file(a_picture())


def test_the_process_that_paints_may_do_nothing_else() -> None:
    import subprocess
    import sys

    script = (
        "import issuer.registration.picture_worker as w, socket, os\n"
        "w._lock_down()\n"
        "for act in (lambda: socket.socket(), lambda: os.system('true'), lambda: open('written', 'w')):\n"
        "    try: act()\n"
        "    except PermissionError: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused"] * 3
