// Passkeys: a button asks the device, and its answer goes with the form. Where the browser cannot, it is not seen.
"use strict";

(() => {
  const browser = window.PublicKeyCredential;
  const able = Boolean(browser && browser.parseRequestOptionsFromJSON && browser.parseCreationOptionsFromJSON);
  const WAYS = {
    get: (options) => navigator.credentials.get({ publicKey: browser.parseRequestOptionsFromJSON(options) }),
    create: (options) => navigator.credentials.create({ publicKey: browser.parseCreationOptionsFromJSON(options) }),
  };
  const SAID = { NotAllowedError: "stopped", AbortError: "stopped", InvalidStateError: "known" };

  for (const part of document.querySelectorAll("[data-passkey-able]")) {
    part.classList.remove("asleep"); // its place was kept
    part.hidden = !able;
  }
  for (const part of document.querySelectorAll("[data-passkey-unable]")) part.hidden = able;

  async function use(button) {
    const { form } = button;
    const asked = await fetch(button.dataset.options);
    if (asked.redirected) { // the session is over, or must be confirmed again: the form's own answer says so
      form.requestSubmit();
      return;
    }
    if (!asked.ok) throw new Error(`${asked.status}`);
    const credential = await WAYS[button.dataset.passkey]((await asked.json()).public_key);
    form.elements.cle.value = JSON.stringify(credential);
    form.requestSubmit();
    form.elements.cle.value = ""; // it has been taken: whoever comes back to the page signs in otherwise
  }

  for (const button of document.querySelectorAll("[data-passkey]")) {
    const alert = button.parentElement.querySelector("[role=alert]");
    let busy = false;
    button.addEventListener("click", async () => {
      if (busy) return;
      busy = true;
      alert.hidden = true;
      try {
        await use(button);
      } catch (error) {
        alert.textContent = alert.dataset[SAID[error.name] || "failed"];
        alert.hidden = false;
      }
      busy = false;
    });
  }
})();
