// « Je ne suis pas un robot »: once the box is ticked a challenge is solved beside the page, and the form waits for it.
// Without this script, or where it cannot be done, the form goes without an answer, which is taken once an hour.
"use strict";

const FRESH_MS = 240000; // a challenge can be answered for five minutes
const PATIENCE_MS = 60000;

for (const part of document.querySelectorAll("[data-challenges]")) {
  const { challenges, worker, working, done, failed } = part.dataset;
  const tick = part.querySelector('[type="checkbox"]');
  const answer = part.querySelector('[type="hidden"]');
  const status = part.querySelector('[role="status"]');
  const form = tick.form;
  let askedAt = 0;
  let underWay = null;
  let sending = false;

  const isFresh = () => Boolean(answer.value) && Date.now() - askedAt < FRESH_MS;

  async function answered() {
    askedAt = Date.now();
    answer.value = "";
    status.textContent = working;
    try {
      const asked = await fetch(challenges, { credentials: "omit", signal: timeout() });
      if (!asked.ok) throw new Error(`${asked.status}`);
      const challenge = await asked.json();
      const solution = await solved(worker, challenge.parameters);
      answer.value = btoa(JSON.stringify({ challenge, solution }));
      status.textContent = done;
    } catch {
      status.textContent = failed;
    }
    underWay = null;
  }

  function begin() {
    underWay = underWay || answered();
    return underWay;
  }

  tick.addEventListener("change", () => {
    if (tick.checked && !isFresh()) begin();
    else if (!tick.checked && !underWay) status.textContent = "";
  });

  form.addEventListener("submit", async (event) => {
    if (sending || !tick.checked || isFresh()) return;
    event.preventDefault();
    sending = true;
    await begin();
    form.submit();
  });

  // Back on the page that was sent: its answer has served.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    sending = false;
    answer.value = "";
    if (tick.checked) begin();
  });

  if (tick.checked) begin();
}

function timeout() {
  const given = new AbortController();
  setTimeout(() => given.abort(), PATIENCE_MS);
  return given.signal;
}

function solved(worker, parameters) {
  return new Promise((resolve, reject) => {
    const work = new Worker(worker);
    const end = (settle, value) => {
      work.terminate();
      settle(value);
    };
    const late = setTimeout(() => end(reject, new Error("late")), PATIENCE_MS);
    work.addEventListener("error", () => end(reject, new Error("no worker")));
    work.addEventListener("message", (message) => {
      clearTimeout(late);
      if (message.data) end(resolve, message.data);
      else end(reject, new Error("not solved"));
    });
    work.postMessage(parameters);
  });
}
