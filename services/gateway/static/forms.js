// « Afficher » beside a password. Without this script the button stays hidden and the form works as it is.
"use strict";

for (const button of document.querySelectorAll("[data-show]")) {
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
