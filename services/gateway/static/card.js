// The card on the whole screen, and the links it is shared by. Without this script both pages do all but these two things.
"use strict";

// « Agrandir »: the browser's own bars go too, and the telephone turns the picture where it lets a page ask for that.
function wakeFullScreen(button) {
  const card = button.closest("[data-full]");
  if (!card.requestFullscreen) return;
  button.classList.remove("asleep"); // its place was kept
  button.addEventListener("click", async () => {
    try {
      await card.requestFullscreen();
      await screen.orientation.lock("landscape");
    } catch {
      return; // refused, or no such thing here: the card stands there as large as it may
    }
  });
  document.addEventListener("fullscreenchange", () => { button.hidden = Boolean(document.fullscreenElement); });
}

// « Copier le lien ».
function wakeCopy(button) {
  const link = document.getElementById(button.dataset.copy);
  const words = button.querySelector("span");
  button.classList.remove("asleep");
  button.addEventListener("click", async () => {
    link.select();
    try {
      await navigator.clipboard.writeText(link.value);
    } catch {
      return; // the link is selected: the browser's own menu copies it
    }
    words.textContent = button.dataset.copied;
    words.setAttribute("role", "status");
  });
}

document.querySelectorAll("[data-full-screen]").forEach(wakeFullScreen);
document.querySelectorAll("[data-copy]").forEach(wakeCopy);
