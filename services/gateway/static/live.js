// The live update. One stream, in the visible tab only; events carry ids, never data: what they name is read again.
//
// A part of the page that is read again as a whole says so itself:
//   <div id="documents" data-live-refresh="document message" data-live-id="(only this id)" data-live-news="(what to say)">
// A page with finer manners adds its own script after this one and uses `live`.
"use strict";

const live = (() => {
  const place = document.querySelector("[data-live]");
  const said = place.querySelector("[data-live-said]");
  const lostSign = place.querySelector(".live-lost");

  const LOST_AFTER_MS = 6000;
  const FIRST_RETRY_MS = 2000;
  const LONGEST_RETRY_MS = 60000;
  const READ_TRIES = 4;
  const KINDS = ["claim", "document", "message", "notice"];

  const handlers = new Map(); // kind → what a page does itself with an event
  let stream = null;
  let position = place.dataset.after;
  let retryMs = FIRST_RETRY_MS;
  let retryTimer = 0;
  let lostTimer = 0;

  function connect() {
    clearTimeout(retryTimer);
    if (stream || document.hidden) return;
    stream = new EventSource(`${place.dataset.live}?after=${encodeURIComponent(position)}`);
    stream.addEventListener("open", () => {
      retryMs = FIRST_RETRY_MS;
      clearTimeout(lostTimer);
      lostTimer = 0;
      lostSign.hidden = true;
      place.dataset.liveState = "open";
    });
    stream.addEventListener("error", onError);
    for (const kind of KINDS) {
      stream.addEventListener(kind, (event) => {
        position = event.lastEventId || position;
        changed([kind], JSON.parse(event.data).id, event.lastEventId);
      });
    }
    stream.addEventListener("reload", (event) => {
      position = event.lastEventId || position;
      changed(KINDS, null, event.lastEventId);
    });
  }

  function onError() {
    place.dataset.liveState = "closed";
    if (!lostTimer) lostTimer = setTimeout(() => { lostSign.hidden = false; }, LOST_AFTER_MS);
    if (stream && stream.readyState === EventSource.CLOSED) { // refused: the browser will not try again by itself
      disconnect();
      retryTimer = setTimeout(connect, retryMs);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  function disconnect() {
    clearTimeout(retryTimer);
    if (stream) stream.close();
    stream = null;
    place.dataset.liveState = "closed";
  }

  function onVisibility() {
    if (!document.hidden) { connect(); return; }
    clearTimeout(lostTimer);
    lostTimer = 0;
    disconnect();
  }

  // What changed. `id` null: too much to tell, everything of these kinds may have.

  function changed(kinds, id, eventId) {
    for (const kind of kinds) {
      const handler = handlers.get(kind);
      if (handler) later(() => handler(id, eventId));
    }
    for (const part of document.querySelectorAll("[data-live-refresh]")) {
      const { liveRefresh, liveId } = part.dataset;
      const concerned = liveRefresh.split(" ").some((kind) => kinds.includes(kind)) && (!liveId || !id || liveId === id);
      if (concerned) later(() => refresh(part.id));
    }
  }

  // One thing after the other, so that two changes of one record never cross.
  let queue = Promise.resolve();
  function later(task) { queue = queue.then(task).catch(() => undefined); }

  // A part that says the same stays as it is, and with it a click or a selection under way: streams repeat what is recent.
  async function refresh(id) {
    if (!(await readAgain(id))) return;
    const { liveNews } = document.getElementById(id).dataset;
    if (liveNews) say(liveNews);
  }

  // Put the part as the server shows it now in its place; whether it says anything else than before.
  async function readAgain(id) {
    const from = document.getElementById(id).dataset.liveFrom;
    const fresh = await read(id, from || window.location.href);
    const shown = document.getElementById(id);
    if (!fresh || !shown || saysTheSame(fresh, shown)) return false;
    if (from) fresh.dataset.liveFrom = from;
    const focused = shown.contains(document.activeElement) && document.activeElement.id;
    shown.replaceWith(fresh);
    htmx.process(fresh);
    const again = focused && document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("live:replaced"));
    return true;
  }

  // By words and links alone: in a pane the headings are of another level, and a form has a new token each time, as has a
  // link to a filtered list.
  function saysTheSame(fresh, shown) { return wording(fresh) === wording(shown); }
  function wording(part) {
    const links = [...part.querySelectorAll("a")].map((link) => link.href.replace(/([?&]filtre=)[^&]*/, "$1"));
    return [part.textContent.replace(/\s+/g, " ").trim(), ...links].join("\n");
  }

  // A service that is away for a moment is asked again.
  async function read(id, address) {
    const headers = { "HX-Request": "true", "HX-Current-URL": window.location.href, "X-Live": "1" }; // no activity
    for (let tries = 1; tries <= READ_TRIES; tries += 1) {
      if (tries > 1) await new Promise((resolve) => { setTimeout(resolve, tries * 1000); });
      const answer = await fetch(address, { headers }).catch(() => null);
      if (answer && answer.headers.has("hx-redirect")) { // the session is over; session.js knows of typed text
        const leave = document.dispatchEvent(new Event("session-over", { cancelable: true }));
        if (leave) window.location.assign(answer.headers.get("hx-redirect"));
        return null;
      }
      if (answer && answer.ok) {
        return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
      }
    }
    return null;
  }

  function say(text) { said.textContent = text.replace(/\s+/g, " ").trim(); }

  // After every script of the page has run, so that none misses an event.
  document.addEventListener("DOMContentLoaded", connect);
  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => { if (event.persisted) connect(); });

  return {
    on(kind, handler) { handlers.set(kind, handler); },
    later,
    read,
    readAgain,
    say,
  };
})();
