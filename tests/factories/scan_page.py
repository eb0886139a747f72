"""The scan page under test: give it a picture, get what it did. Its own script runs; where it leads is caught."""

import io
from dataclasses import dataclass

import zxingcpp
from PIL import Image
from playwright.sync_api import Page, Request, Route

ENDED = "#refusal:not([hidden]), " + ", ".join(
    f"#scan-state[data-state={state}]" for state in ("found", "nothing-found", "not-a-picture")
)


@dataclass(frozen=True)
class Outcome:
    """`address`: where an accepted code led, as far as the '#'. `code`: why it was refused, or the state."""

    address: str | None
    code: str
    text: str

    @property
    def refused(self) -> bool:
        """Whether the page said no, aloud."""
        return self.address is None and self.code not in ("nothing-found", "not-a-picture")


class ScanPage:
    """Drives `/scan`. Every address the page tries to open is recorded in `opened`, and nothing is opened."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.opened: list[str] = []
        self._start = f"{base_url}/scan"
        page.on("request", self._seen)
        page.route(lambda url: "/v/" in url.lower(), self._stay)
        page.goto(self._start)

    def both_decoders(self) -> None:
        """Wait until the stronger decoder has arrived as well, as it has after a second of looking."""
        self.choose(qr_picture("warm up"))
        self.page.wait_for_selector("html[data-decoders~=zxing]", timeout=150_000)

    def choose(self, picture: bytes, *, kind: str = "image/png", within: float = 150_000) -> Outcome:
        """Choose a picture as a person does."""
        self.opened.clear()
        page = self.page
        page.evaluate("document.getElementById('scan-state').removeAttribute('data-state')")
        page.evaluate("document.getElementById('refusal').hidden = true")
        page.set_input_files("#picture", {"name": "picture", "mimeType": kind, "buffer": picture})
        page.wait_for_selector(ENDED, timeout=within, state="attached")
        if page.locator("#refusal").is_visible():
            code = page.get_attribute("#refusal", "data-code") or ""
            return Outcome(None, code, page.locator("#refusal").inner_text())
        state = page.get_attribute("#scan-state", "data-state") or ""
        if state == "found":
            self._until_opened()
            return Outcome(self.opened[-1], state, "")
        return Outcome(None, state, page.locator("#scan-state").inner_text())

    def _until_opened(self) -> None:
        while not self.opened:
            self.page.wait_for_timeout(10)

    def _seen(self, request: Request) -> None:
        if request.is_navigation_request() and request.url != self._start:
            self.opened.append(request.url)

    def _stay(self, route: Route) -> None:
        # 204: the browser stays where it is (RFC 9110, 15.3.5).
        route.fulfill(status=204)


def qr_picture(*texts: str, scale: int = 6) -> bytes:
    """A sharp picture with one QR code for each text, side by side, by a writer that is not ours."""
    codes = [
        Image.fromarray(
            zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(scale=scale)
        )
        for text in texts
    ]
    height = max(code.height for code in codes) + 80
    sheet = Image.new("L", (sum(code.width + 80 for code in codes), height), 255)
    x = 40
    for code in codes:
        sheet.paste(code, (x, 40))
        x += code.width + 80
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
