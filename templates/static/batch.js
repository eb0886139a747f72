// Follows a running act by server-sent events; where they do not come through, it asks for the page again.
(() => {
  "use strict";
  const REFRESH_MS = 5000;
  const FAILURES = 3;

  const place = () => document.querySelector("[data-watch]");
  let first = null;

  function show(box, now) {
    const bar = box.querySelector("progress");
    bar.max = now.total || 1;
    bar.value = now.finished;
    for (const figure of box.querySelectorAll("[data-figure]")) {
      const name = figure.dataset.figure;
      figure.textContent = name in now.counts ? now.counts[name] : now[name];
    }
    first = first || { at: Date.now(), finished: now.finished };
    const done = now.finished - first.finished;
    const seconds = (Date.now() - first.at) / 1000;
    const left = box.querySelector("#left");
    if (!left || done < 5 || seconds < 3 || now.finished === now.total) return;
    const minutes = Math.ceil(((now.total - now.finished) * seconds) / done / 60);
    left.textContent = `约剩 ${minutes} 分钟 · about ${minutes} min left`;
  }

  async function renew(box) {
    const answer = await fetch(`${box.dataset.watch}/progress`, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return location.reload();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(`#${box.id}`);
    if (!fresh) return location.reload();
    box.replaceWith(fresh);
    follow();
  }

  function busy(box) {
    return box.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
  }

  function ask(box) {
    setTimeout(() => (busy(box) ? ask(box) : renew(box).catch(() => ask(box))), REFRESH_MS);
  }

  function follow() {
    const box = place();
    if (!box) return;
    if (!("EventSource" in window)) return ask(box);
    const source = new EventSource(`${box.dataset.watch}/events`);
    let failures = 0;
    source.addEventListener("progress", (event) => {
      failures = 0;
      const now = JSON.parse(event.data);
      const state = now.paused ? "paused" : now.state;
      if (state === box.dataset.state) return show(box, now);
      source.close();
      renew(box).catch(() => ask(box));
    });
    source.addEventListener("end", () => {
      source.close();
      renew(box).catch(() => ask(box));
    });
    source.addEventListener("error", () => {
      failures += 1;
      if (source.readyState !== EventSource.CLOSED && failures < FAILURES) return;
      source.close();
      ask(box);
    });
    window.addEventListener("pagehide", () => source.close(), { once: true });
  }

  follow();
})();
