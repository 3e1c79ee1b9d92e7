// Mes remboursements, live: a new row goes to its date without moving the list under a reader's eyes.
"use strict";

const offer = document.querySelector(".live-new");
const arrivals = document.querySelector("[data-live-arrivals]");
const openClaim = document.querySelector("[data-live-claim]"); // on the page of one; on the list's, a pane may show one

const FETCH_TRIES = 4;

const waiting = new Map(); // claim id → row that is not shown yet, because the reader is further down

function list() { return document.querySelector("[data-live-list]"); }
function pause(ms) { return new Promise((resolve) => { setTimeout(resolve, ms); }); }

live.on("claim", async (id, eventId) => {
  if (id === null) await readAgain();
  else if (!belongsElsewhere(eventId)) await changed(id);
});

async function changed(id) {
  const shownBeside = !openClaim && document.querySelector(`#detail [data-live-claim="${CSS.escape(id)}"]`);
  if (shownBeside) await live.readAgain(shownBeside.id);
  if (openClaim) {
    if (openClaim.dataset.liveClaim === id) await readAgain();
    return;
  }
  if (!list().querySelector(".month")) { // the page says « nothing yet »
    await readAgain();
    list().querySelectorAll("[data-claim]").forEach(announce);
    return;
  }
  const before = list();
  const row = await fetchRow(id);
  if (!row || list() !== before) return; // another page of the list has come meanwhile, as new as can be
  const shown = list().querySelector(`[data-claim="${CSS.escape(id)}"]`);
  if (shown && shown.dataset.order === row.dataset.order) {
    replace(shown, row);
    return;
  }
  if (!shown && isOnOlderPage(row)) return;
  if (shown) shown.remove(); // another date: it moves to its place
  if (!shown) waiting.set(id, row);
  if (shown || isAtTop()) place(row); else offerWaiting();
}

// Streams repeat what is recent. Behind the first page, what happened before this page was read is on another one.
function belongsElsewhere(id) {
  const behind = !openClaim && !list().hasAttribute("data-first-page");
  return behind && claimsPart(id) <= claimsPart(list().dataset.after);
}
function claimsPart(id) { return Number((/c(\d+)/.exec(id) || [0, 0])[1]); }

function isOnOlderPage(row) {
  const rows = list().querySelectorAll("[data-claim]");
  return list().hasAttribute("data-more") && row.dataset.order < rows[rows.length - 1].dataset.order;
}

// A row that says the same stays, and with it the reader's place.
function replace(shown, row) {
  if (shown.innerHTML === row.innerHTML) return;
  const hadFocus = shown.contains(document.activeElement);
  shown.replaceWith(row);
  if (hadFocus) row.querySelector("a").focus({ preventScroll: true });
}

// The part is fetched into a hidden list; a service that is away for a moment is asked again.
async function fetchRow(id) {
  const place = document.createElement("li");
  arrivals.append(place);
  for (let tries = 1; place.isConnected && tries <= FETCH_TRIES; tries += 1) {
    if (tries > 1) await pause(tries * 1000);
    await htmx.ajax("GET", `/parties/remboursements/${encodeURIComponent(id)}`, { target: place, swap: "outerHTML", headers: { "X-Live": "1" } });
  }
  place.remove();
  const row = arrivals.querySelector("[data-claim]");
  if (row) row.remove();
  return row;
}

async function readAgain() {
  const changed = await live.readAgain(openClaim ? "remboursement" : "liste");
  if (openClaim && changed) live.say(document.querySelector("#remboursement .claim-state").textContent);
  waiting.clear();
  if (offer) offer.hidden = true;
}

// Where a new row goes: at its date, in its month, newest first. The list never moves under a reader's eyes.

function isAtTop() {
  return list().hasAttribute("data-first-page") && list().getBoundingClientRect().top >= 0;
}

function place(row) {
  waiting.delete(row.dataset.claim);
  const rows = monthOf(row).querySelector(".rows");
  const next = [...rows.children].find((other) => other.dataset.order < row.dataset.order);
  rows.insertBefore(row, next || null);
  row.classList.add("arrived");
  announce(row);
}

function monthOf(row) {
  const months = [...list().querySelectorAll(".month")];
  const found = months.find((month) => month.dataset.month === row.dataset.month);
  if (found) return found;
  const month = months[0].cloneNode(true);
  month.dataset.month = row.dataset.month;
  month.querySelector("h2").textContent = row.dataset.monthName;
  month.querySelector(".rows").replaceChildren();
  const next = months.find((other) => other.dataset.month < row.dataset.month);
  list().insertBefore(month, next || months[months.length - 1].nextSibling);
  return month;
}

function offerWaiting() {
  const link = offer.querySelector("a");
  link.textContent = waiting.size === 1 ? link.dataset.one : link.dataset.many.replace("{n}", waiting.size);
  offer.hidden = waiting.size === 0;
  live.say(link.textContent);
}

function announce(row) { live.say(`${arrivals.dataset.new} ${row.textContent}`); }

if (offer) offer.querySelector("a").addEventListener("click", (event) => {
  if (!list().hasAttribute("data-first-page")) return; // the link leads to the first page
  event.preventDefault();
  const rows = [...waiting.values()];
  rows.forEach(place);
  offer.hidden = true;
  list().scrollIntoView({ block: "start" });
  if (rows.length) rows[rows.length - 1].querySelector("a").focus({ preventScroll: true });
});
