"""Pages drawn and read back by several threads at once come out as they do one by one."""

from concurrent.futures import ThreadPoolExecutor

from templates.certificate.page import lint_page, read_back, typeset
from templates.certificate.specimen import specimen

NAMES = ("王芳", "李㛃䶮", "阿卜杜热依木·买买提", "张伟")


def test_no_thread_sees_anothers_page() -> None:
    pages = [specimen(name=name, management_no=f"2025990400012{at}") for at, name in enumerate(NAMES)]

    def one(turn: int) -> str:
        page = pages[turn % len(pages)]
        pdf = typeset(page)
        assert lint_page(pdf, page) == ()
        assert read_back(pdf).fields["name"] == page.name
        return page.name

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(24))) == list(NAMES) * 6
