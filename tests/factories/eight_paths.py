"""One certificate asked for by every way there is: web, command line, offline; what each of them answers."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Page

from tests.factories.command_line import CommandLine

PDF = {"Content-Type": "application/pdf", "Accept": "application/json"}
JSON = {"Accept": "application/json"}
SETTLED = "#verdict:not([data-verdict=pending])"


@dataclass(frozen=True)
class InHand:
    """What a holder has and shows: the file, the text of its QR code, number and name."""

    pdf: Path
    qr_text: str
    management_no: str
    name: str

    @property
    def token(self) -> str:
        """The token in the QR code's address."""
        return self.qr_text.split("#")[0].rsplit("/", 1)[1]


@dataclass(frozen=True)
class EightPaths:
    """All ways to check, over one data folder and the server on it."""

    ecert: CommandLine
    web: httpx.Client
    phone: Page

    def verdicts(self, held: InHand) -> dict[str, str]:
        """Way → verdict. The offline bundle is fetched anew, as somebody going into the field would do."""
        return self.on_the_web(held) | self.in_a_terminal(held)

    def on_the_web(self, held: InHand) -> dict[str, str]:
        """QR page for programs and on a phone, token, file, digest, number with name."""
        content = held.pdf.read_bytes()
        asked = {"management_no": held.management_no, "name": held.name}
        answers = {
            "qr page, json": self.web.get(f"/v/{held.token}", headers=JSON),
            "token": self.web.get(f"/api/v1/certificates/{held.token}", headers=JSON),
            "file": self.web.post("/api/v1/check", content=content, headers=PDF),
            "digest": self.web.get(f"/api/v1/files/{hashlib.sha256(content).hexdigest()}", headers=JSON),
            "number and name": self.web.post("/api/v1/lookup", json=asked, headers=JSON),
        }
        for way, answer in answers.items():
            assert answer.headers["cache-control"] == "no-store", way
        found = {way: str(answer.json()["verdict"]) for way, answer in answers.items()}
        return found | {"qr page, phone": self.on_the_phone(held.qr_text)[0]}

    def on_the_phone(self, qr_text: str) -> tuple[str, str]:
        """Verdict and tone of the page a scanned QR code opens, after its own check of the signature."""
        self.phone.goto("about:blank")
        self.phone.goto(qr_text)
        self.phone.wait_for_selector(SETTLED)
        shown = self.phone.locator("#verdict")
        return shown.get_attribute("data-verdict") or "", shown.get_attribute("data-tone") or ""

    def in_a_terminal(self, held: InHand) -> dict[str, str]:
        """`ecert verify` by file, QR text and number; then file and QR text from a bundle alone."""
        bundle = self.ecert.fetch_bundle(self.ecert.folder.with_name("bundle"))
        return {
            "ecert verify file": self.ecert.verdict(held.pdf),
            "ecert verify qr": self.ecert.verdict_here(held.qr_text),
            "ecert verify number": self.ecert.verdict_here(held.management_no),
            "offline file": self.ecert.verdict_here(held.pdf, "--offline", "--bundle", bundle),
            "offline qr": self.ecert.verdict_here(held.qr_text, "--offline", "--bundle", bundle),
        }
