// Where a password is chosen: how far it is, and another idea. What is typed goes nowhere from here.
"use strict";

const ROWS = ["abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "azertyuiopqsdfghjklmwxcvbn", "qwertyuiopasdfghjklzxcvbnm"];
// A few of auth's many: what is chosen most often here, so that it need not be sent to be refused.
const KNOWN = new Set((
  "admin amour assure azerty azertyuiop bienvenue bonjour camille chocolat chouchou coucou doudou football france "
  + "iloveyou jetaime letmein loulou maman marseille monmotdepasse motdepasse mutuelle nicolas papillon paris passe "
  + "password plansante princesse qwerty qwertyuiop sante secret securitesociale soleil vacances"
).split(" "));

function isKnown(text) {
  const plain = text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
  const letters = plain.replace(/[^a-z]/g, "").replace(/^(.+?)\1*$/, "$1");
  if (KNOWN.has(letters)) return true;
  return ROWS.some((row) => [row, [...row].reverse().join("")].some((keys) => (keys + keys).includes(plain)));
}

// What to say of `typed`; the server decides in the end, by the same rules and with longer lists.
function judged(typed, texts) {
  const text = typed.normalize("NFKC");
  if (!text) return "";
  const missing = texts.min - Math.min([...text].length, [...typed].length);
  if (missing > 0) return missing === 1 ? texts.one : texts.many.replace("{n}", missing);
  if (/^\d+$/.test(text)) return texts.digits;
  if (new Set(text).size < 5) return texts.repeated;
  return isKnown(text) ? texts.known : texts.enough;
}

function watch(hint) {
  const input = document.getElementById(hint.dataset.strength);
  let pause;
  input.addEventListener("input", () => {
    clearTimeout(pause); // said once one pauses: a screen reader would read every step
    pause = setTimeout(() => {
      const said = judged(input.value, hint.dataset);
      if (hint.textContent !== said) hint.textContent = said;
      hint.classList.toggle("enough", said === hint.dataset.enough);
    }, 300);
  });
}

function offer(idea) {
  const words = idea.querySelector("[data-words]");
  const used = idea.querySelector("[data-used]");
  const fields = [...idea.closest("form").querySelectorAll("[autocomplete='new-password']")];
  idea.querySelector("[data-another]").addEventListener("click", async () => {
    const answer = await fetch(idea.dataset.idea).catch(() => null);
    if (!answer?.ok) return; // the one that is shown is as good
    words.textContent = await answer.text();
    used.textContent = "";
  });
  idea.querySelector("[data-use]").addEventListener("click", () => {
    for (const field of fields) {
      field.value = words.textContent;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    used.textContent = used.dataset.used;
  });
}

for (const part of document.querySelectorAll(".asleep")) part.classList.remove("asleep"); // its place was kept
document.querySelectorAll("[data-strength]").forEach(watch);
document.querySelectorAll("[data-idea]").forEach(offer);
