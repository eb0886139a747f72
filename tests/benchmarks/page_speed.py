"""How long a phone waits for the verdict: from the address in the code to the settled answer on the screen.

    python -m tests.benchmarks.page_speed [--rounds N] [--slowdown X] [--latency MS] [--mbps X]

Chromium on a screen of 390 by 844, its CPU slowed four times and its network held to 150 ms and 1.6 Mbit/s by the
DevTools protocol, a fresh browser context each time: nothing kept, no service worker. Then the same for a second
visit (the service worker is there), and for a visit without a network. The time is the page's own clock, from the
start of navigation to the settled headline. Last line: {"first_ms", "again_ms", "offline_ms", "bytes", "requests"}.
"""

import argparse
import json
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.factories.public_register import PublicRegister
from tests.factories.web_server import CHROMIUM, free_port, served

SETTLED = "#verdict:not([data-verdict=pending])"
CLOCK = """
new MutationObserver(() => {
  const hero = document.getElementById('verdict');
  if (hero && hero.dataset.verdict !== 'pending' && document.querySelector('[data-code=credential-verified]')) {
    self.settledAt = self.settledAt || performance.now();
  }
}).observe(document, {subtree: true, childList: true, attributes: true});
"""


def main() -> int:
    """Measure and print; 1 when any visit did not end in a green answer."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--slowdown", type=float, default=4.0, help="how many times slower the CPU is")
    options.add_argument("--latency", type=float, default=150.0, help="milliseconds added to every request")
    options.add_argument("--mbps", type=float, default=1.6)
    asked = options.parse_args()
    first, again, offline = [], [], []
    sizes: list[tuple[int, int]] = []
    green = True
    with tempfile.TemporaryDirectory() as folder:
        register = PublicRegister(Path(folder) / "public", base_url=f"http://127.0.0.1:{free_port()}")
        one, two = register.publish(), register.publish()
        register.sign_lists(datetime.now(UTC))
        register.log([one.token, two.token])
        with served(register.folder, register.base_url), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            _visit(_slow(browser, asked), one.qr)
            for _ in range(asked.rounds):
                page = _slow(browser, asked)
                seen: list[int] = []
                page.on("response", lambda answer, seen=seen: seen.append(answer.request.sizes()["responseBodySize"]))
                took, tone = _visit(page, one.qr)
                first.append(took)
                sizes.append((seen[0], len(seen)))
                page.evaluate("navigator.serviceWorker.ready.then(() => true)")
                took, second_tone = _visit(page, two.qr)
                again.append(took)
                page.context.set_offline(True)
                took, offline_tone = _visit(page, one.qr)
                offline.append(took)
                green = green and {tone, second_tone, offline_tone} == {"good"}
                page.context.close()
            browser.close()
    for name, times in (("first visit", first), ("second visit", again), ("no network", offline)):
        print(f"{name:13} median {statistics.median(times):5.0f} ms, worst {max(times):5.0f} ms", file=sys.stderr)
    print(
        json.dumps(
            {
                "first_ms": round(statistics.median(first)),
                "again_ms": round(statistics.median(again)),
                "offline_ms": round(statistics.median(offline)),
                "bytes": max(size for size, _ in sizes),
                "requests": max(count for _, count in sizes),
            }
        )
    )
    return 0 if green else 1


def _slow(browser: Browser, asked: argparse.Namespace) -> Page:
    context: BrowserContext = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(CLOCK)
    page = context.new_page()
    tools = context.new_cdp_session(page)
    rate = asked.mbps * 1_000_000 / 8
    network: dict[str, Any] = {"offline": False, "latency": asked.latency, "downloadThroughput": rate}
    tools.send("Network.enable")
    tools.send("Network.emulateNetworkConditions", {**network, "uploadThroughput": rate / 2})
    tools.send("Emulation.setCPUThrottlingRate", {"rate": asked.slowdown})
    return page


def _visit(page: Page, address: str) -> tuple[float, str]:
    """Milliseconds until the answer stood there, and its tone."""
    page.goto("about:blank")
    page.goto(address, wait_until="commit")
    page.wait_for_selector(SETTLED)
    return float(page.evaluate("self.settledAt")), page.locator("#verdict").get_attribute("data-tone") or ""


if __name__ == "__main__":
    sys.exit(main())
