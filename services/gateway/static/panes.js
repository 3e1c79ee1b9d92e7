// A list with what is chosen in it beside it, where there is room; elsewhere the link leads to its page.
"use strict";

const pane = document.getElementById("detail");
const isShown = () => getComputedStyle(pane).display !== "none";

document.addEventListener("click", async (event) => {
  const link = event.target.closest(".panes .row-link");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || !isShown()) return;
  event.preventDefault();
  const detail = await fetchDetail(link.href);
  if (!detail) { window.location.assign(link.href); return; }
  show(detail, link);
});

async function fetchDetail(address) {
  const headers = { "HX-Request": "true", "HX-Current-URL": window.location.href };
  const answer = await fetch(address, { headers }).catch(() => null);
  if (!answer || !answer.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[data-detail]");
}

function show(detail, link) {
  detail.dataset.liveFrom = link.href; // live.js reads it again from there
  for (const part of detail.querySelectorAll("[data-live-refresh]")) part.dataset.liveFrom = link.href;
  pane.replaceChildren(document.adoptNode(detail));
  demote(detail);
  htmx.process(pane);
  for (const row of document.querySelectorAll(".row[data-chosen]")) row.removeAttribute("data-chosen");
  link.closest(".row").setAttribute("data-chosen", "");
  pane.scrollTop = 0;
  const title = detail.querySelector("h2");
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
}

// The page has its title already: those of the part are one level below it.
function demote(part) {
  for (const level of [2, 1]) {
    for (const old of part.querySelectorAll(`h${level}`)) {
      const heading = document.createElement(`h${level + 1}`);
      heading.append(...old.childNodes);
      for (const { name, value } of old.attributes) heading.setAttribute(name, value);
      old.replaceWith(heading);
    }
  }
}

// A list that was read again keeps its mark.
document.addEventListener("live:replaced", () => {
  const chosen = pane.querySelector("[data-live-from]");
  for (const link of document.querySelectorAll(".panes .row-link")) {
    link.closest(".row").toggleAttribute("data-chosen", Boolean(chosen) && link.href === chosen.dataset.liveFrom);
  }
  if (chosen) demote(pane);
});
