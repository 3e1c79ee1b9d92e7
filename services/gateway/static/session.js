// The end of a session on a device that is not the member's own: a warning that can extend it, and no text lost.
// How long is left only the server knows, and it counts what other tabs do.
"use strict";

(() => {
  const again = document.querySelector("[data-shown-at]"); // a form shown again, as the answer to the sign-in
  if (again) window.history.replaceState(null, "", again.dataset.shownAt);

  const dialog = document.querySelector("[data-session]");
  if (!dialog) return;
  const title = dialog.querySelector("h2");
  const text = dialog.querySelector("[role=status]");
  const stayForm = dialog.querySelector("[data-stay]");

  const ASK_AGAIN_MS = 5000;
  const STEPS_S = [60, 30, 10]; // when the time left is said again: not every second
  const HEADERS = { "X-Live": "1" }; // asking is no activity
  const warningMs = Number(dialog.dataset.warningS) * 1000;
  const tabs = new BroadcastChannel("session"); // that something happened, nothing else
  let timer = 0;
  let over = false;

  // The time left, as the server sees it: undefined when it cannot be asked, null when the session does not end so.
  async function left() {
    try {
      const answer = await fetch("/session/reste", { headers: HEADERS, cache: "no-store" });
      return answer.ok ? (await answer.json()).seconds : undefined;
    } catch {
      return undefined;
    }
  }

  async function check() {
    clearTimeout(timer);
    if (over) return;
    const seconds = await left();
    if (over) return;
    if (seconds === undefined) later(ASK_AGAIN_MS);
    else if (seconds === null) dialog.close();
    else if (seconds <= 0) end();
    else if (seconds * 1000 > warningMs) waitFor(seconds);
    else warn(seconds);
  }

  function later(ms) {
    clearTimeout(timer);
    timer = setTimeout(check, ms);
  }

  function waitFor(seconds) {
    dialog.close();
    later(seconds * 1000 - warningMs);
  }

  function warn(seconds) {
    const next = STEPS_S.find((step) => step < Math.floor(seconds)) || 0;
    show("ending", inWords(Math.ceil(seconds)));
    later(Math.max(seconds - next, 0.5) * 1000);
  }

  function inWords(seconds) {
    const { minutes, minute, seconds: few } = text.dataset;
    if (seconds < 60) return few.replace("{n}", seconds);
    const whole = Math.round(seconds / 60);
    return whole > 1 ? minutes.replace("{n}", whole) : minute;
  }

  function show(state, words) {
    title.textContent = title.dataset[state];
    if (text.textContent !== words) text.textContent = words;
    for (const part of dialog.querySelectorAll("[data-while]")) part.hidden = part.dataset.while !== state;
    if (!dialog.open) dialog.showModal(); // closing it gives the focus back to where it was
  }

  // Nothing that was typed is taken off the screen; a page without any makes room for the sign-in page.
  function end() {
    over = true;
    clearTimeout(timer);
    if (holdsText()) {
      show("over", text.dataset.over);
      dialog.querySelector("[data-while=over] button").focus();
      return;
    }
    const here = window.location.pathname + window.location.search;
    window.location.replace(`/?suite=${encodeURIComponent(here)}`);
  }

  function holdsText() {
    return [...document.querySelectorAll("main form")].some((form) => [...form.elements].some(isTyped));
  }

  function isTyped(field) {
    if (field.name === "garde") return true; // the page carries what was typed on another
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.type === "select-one") return !field.selectedOptions[0]?.defaultSelected && field.selectedIndex > 0;
    if (field.type === "file") return field.files.length > 0;
    return !["hidden", "submit", "button", "password", "fieldset"].includes(field.type) && field.value.trim() !== "";
  }

  async function stay() {
    const body = new URLSearchParams(new FormData(stayForm));
    const headers = { "X-Script": "1" };
    await fetch(stayForm.action, { method: "POST", body, headers, redirect: "manual" }).catch(() => undefined);
    tabs.postMessage("active");
    await check(); // and the server says whether that helped
  }

  stayForm.addEventListener("submit", (event) => { event.preventDefault(); stay(); });
  dialog.addEventListener("cancel", (event) => {
    if (over) return;
    event.preventDefault();
    stay();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) check(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) check(); });
  document.addEventListener("session-over", (event) => { // told by live.js
    event.preventDefault();
    if (!over) end();
  });
  tabs.addEventListener("message", check);
  tabs.postMessage("active"); // a page that opens is activity, in the other tabs too
  later(Math.max(Number(dialog.dataset.leftS) * 1000 - warningMs, 0));
})();
