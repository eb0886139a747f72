// The scanner's page: the cursor waits in the next field, and an optional sound says what the colour says.
const box = document.querySelector("#sound");
const next = document.querySelector("[data-next]");
const verdict = document.querySelector("[data-verdict]");

function beep(frequency, seconds, at) {
  const context = beep.context || (beep.context = new AudioContext());
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = frequency;
  volume.gain.value = 0.15;
  tone.connect(volume).connect(context.destination);
  tone.start(context.currentTime + at);
  tone.stop(context.currentTime + at + seconds);
}

if (box) {
  try {
    box.checked = localStorage.getItem("paper-sound") === "on";
  } catch {
    box.checked = false;
  }
  box.addEventListener("change", () => {
    try {
      localStorage.setItem("paper-sound", box.checked ? "on" : "off");
    } catch {
      box.title = "浏览器不允许保存此设置";
    }
    if (next) next.focus();
  });
  if (box.checked && verdict) {
    if (verdict.dataset.verdict === "good") beep(880, 0.12, 0);
    if (verdict.dataset.verdict === "bad") [0, 0.25, 0.5].forEach((at) => beep(220, 0.18, at));
  }
}
if (next) {
  next.focus();
  document.addEventListener("click", (event) => {
    if (!event.target.closest("a, button, input, label, select, summary")) next.focus();
  });
}
