// What every page does with JavaScript; without it, all of it works another way or is not needed.
"use strict";

// « Afficher » beside a password: hidden where this script does not run.
function wakeShowButtons(root) {
  for (const button of root.querySelectorAll("[data-show]")) {
    const input = document.getElementById(button.dataset.show);
    const labels = { password: button.textContent, text: button.dataset.hideLabel };
    button.hidden = false;
    button.addEventListener("click", () => {
      input.type = input.type === "password" ? "text" : "password";
      button.textContent = labels[input.type];
      button.setAttribute("aria-pressed", String(input.type === "text"));
    });
    input.form.addEventListener("submit", () => { input.type = "password"; });
  }
}

// What a form's answer says first, an error or a success, is where reading goes on.
function focusNews(root) {
  const news = root.querySelector("[data-focus]");
  if (news) news.focus();
  return Boolean(news);
}

wakeShowButtons(document);
focusNews(document);

// A part that was exchanged: the same, and else its own beginning.
document.addEventListener("htmx:afterSettle", (event) => {
  const part = event.detail.elt;
  if (!part.isConnected) return;
  wakeShowButtons(part);
  if (!focusNews(part) && part.hasAttribute("tabindex")) part.focus({ preventScroll: true });
});

// No part to be had (an error, another page, a line that is down): the browser does what it does without this script.
function asWithoutScript(event) {
  const { elt } = event.detail.requestConfig;
  if (elt.tagName === "FORM") HTMLFormElement.prototype.submit.call(elt);
  else if (elt.href) window.location.assign(elt.href);
}
document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, xhr } = event.detail;
  const chooser = requestConfig.elt.closest("[hx-select]");
  if (!event.detail.shouldSwap || !chooser) return;
  const answer = new DOMParser().parseFromString(xhr.responseText, "text/html");
  if (answer.querySelector(chooser.getAttribute("hx-select"))) return;
  event.detail.shouldSwap = false;
  asWithoutScript(event);
});
document.addEventListener("htmx:responseError", asWithoutScript);
document.addEventListener("htmx:sendError", asWithoutScript);

// The menu closes on Escape and when one leaves it.
for (const menu of document.querySelectorAll("[data-closes]")) {
  const close = () => { menu.open = false; };
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    close();
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close();
  });
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) close(); });
}
