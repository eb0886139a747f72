// Passkeys: hand the page's options to the browser, put its answer into the form, send the form.
"use strict";

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function readOptions(json) {
  const options = JSON.parse(json);
  options.challenge = toBytes(options.challenge);
  if (options.user) options.user.id = toBytes(options.user.id);
  for (const list of [options.allowCredentials, options.excludeCredentials]) {
    for (const one of list || []) one.id = toBytes(one.id);
  }
  return options;
}

function writeAnswer(credential) {
  const given = credential.response;
  const response = { clientDataJSON: toText(given.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (given[part]) response[part] = toText(given[part]);
  }
  return JSON.stringify({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, response });
}

async function ask(form) {
  const publicKey = readOptions(form.dataset.options);
  const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
  form.elements.answer.value = writeAnswer(credential);
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const said = form.querySelector("[data-failed]");
  if (!window.PublicKeyCredential) continue;
  form.querySelector("button").disabled = false;
  form.querySelector("[data-unsupported]").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    said.hidden = true;
    ask(form).catch(() => {
      said.hidden = false;
    });
  });
}
