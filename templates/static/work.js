// The review desk by keyboard: a digit chooses the finding, a letter its reason, Enter decides and brings the next case.
const form = document.querySelector("#decision");

function chosenFinding() {
  return form.querySelector("input[name=finding]:checked");
}

function reasonsOf(finding) {
  return finding ? [...form.querySelectorAll(`.reasons[data-for="${finding.value}"] input`)] : [];
}

function refresh() {
  const reasons = reasonsOf(chosenFinding());
  for (const input of form.querySelectorAll("input[name=reason]")) {
    const usable = reasons.includes(input);
    input.disabled = !usable;
    input.required = usable;
    if (!usable) input.checked = false;
  }
  const reason = reasons.find((input) => input.checked);
  const note = form.elements.note.value.trim();
  const told = [reason ? reason.dataset.told : "", note].filter(Boolean).join(" ");
  document.querySelector("#told").textContent = told || "—";
  const finding = chosenFinding();
  say("#told-outcome", finding ? `${finding.dataset.outcome} ${finding.dataset.outcomeEn}` : "");
  say("#told-en", reason ? reason.dataset.toldEn : "");
  say("#told-basis", reason ? `${reason.dataset.basis} ${reason.dataset.basisEn}` : "");
}

function say(place, text) {
  const element = document.querySelector(place);
  element.textContent = text;
  element.hidden = !text;
}

function press(input) {
  input.checked = true;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  input.focus();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const typing = event.target.closest("textarea, input:not([type=radio]), select");
  if (typing) {
    if (event.key === "Escape") typing.blur();
    return;
  }
  const match = (input) => input.dataset.key === event.key.toLowerCase();
  const finding = [...form.querySelectorAll("input[name=finding]")].find(match);
  const reason = reasonsOf(chosenFinding()).find(match);
  const button = { s: form.querySelector("[data-draft]"), j: document.querySelector("[data-skip]") }[event.key];
  if (finding) press(finding);
  else if (reason) press(reason);
  else if (event.key === "n") form.elements.note.focus();
  else if (button) button.click();
  else if (event.key === "Enter" && !event.target.closest("button, a, summary")) form.requestSubmit();
  else return;
  event.preventDefault();
}

if (form) {
  form.addEventListener("change", refresh);
  form.addEventListener("input", refresh);
  document.addEventListener("keydown", onKey);
  refresh();
} else {
  const take = document.querySelector("[data-take]");
  if (take) take.focus();
}
