// Mes remboursements, live: a new row goes to its date without moving the list under a reader's eyes.
"use strict";

const offer = document.querySelector(".live-new");
const openClaim = document.querySelector("[data-live-claim]"); // on the page of one; on the list's, a pane may show one

const waiting = new Map(); // claim id → row that is not shown yet, because the reader is further down

function list() { return document.querySelector("[data-live-list]"); }

live.on("claim", async (id, eventId) => {
  if (!openClaim && !list()) return; // its filters are to be put right first
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
  const part = await live.read("arrivee", `/parties/remboursements/${encodeURIComponent(id)}${before.dataset.place}`);
  if (!part || list() !== before) return; // not to be had; or another list has come meanwhile, as new as can be
  const row = part.querySelector("[data-claim]");
  before.querySelector(".sums").replaceWith(part.querySelector(".sums"));
  const shown = list().querySelector(`[data-claim="${CSS.escape(id)}"]`);
  if (!row) { // the filters leave it out, or do so now
    if (waiting.delete(id)) offerWaiting();
    if (shown) shown.remove();
    for (const month of list().querySelectorAll(".month:not(:has([data-claim]))")) month.remove();
    if (!list().querySelector(".month")) await readAgain();
    return;
  }
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

async function readAgain() {
  const changed = await live.readAgain(openClaim ? "remboursement" : "liste");
  if (openClaim && changed) live.say(document.querySelector("#remboursement .claim-state").textContent);
  forgetWaiting();
}

function forgetWaiting() {
  waiting.clear();
  if (offer) offer.hidden = true;
}

// Another list: what waited for the old one is in it, or left out.
document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target.id === "liste") forgetWaiting(); });

// Where a new row goes: at its date, in its month, newest first. The list never moves under a reader's eyes.

function isAtTop() {
  return list().hasAttribute("data-first-page") && list().getBoundingClientRect().top > -1; // in whole pixels
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
  link.href = list().dataset.start; // the first page of the list as it is filtered now
  link.textContent = waiting.size === 1 ? link.dataset.one : link.dataset.many.replace("{n}", waiting.size);
  offer.hidden = waiting.size === 0;
  if (!offer.hidden) live.say(link.textContent);
}

function announce(row) { live.say(`${offer.dataset.new} ${row.textContent}`); }

if (offer) offer.querySelector("a").addEventListener("click", (event) => {
  if (!list().hasAttribute("data-first-page")) return; // the link leads to the first page
  event.preventDefault();
  const rows = [...waiting.values()];
  rows.forEach(place);
  offer.hidden = true;
  list().scrollIntoView({ block: "start" });
  if (rows.length) rows[rows.length - 1].querySelector("a").focus({ preventScroll: true });
});
