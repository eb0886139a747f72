"""One rendered page for all tests that only look at it."""

import pytest

from templates.certificate.page import CertificatePage, render
from templates.certificate.specimen import specimen
from templates.portraits import draw_portrait


@pytest.fixture(scope="session")
def portrait() -> bytes:
    return draw_portrait(7)


@pytest.fixture(scope="session")
def page(portrait: bytes) -> CertificatePage:
    return specimen(photo=portrait)


@pytest.fixture(scope="session")
def pdf(page: CertificatePage) -> bytes:
    return render(page)
