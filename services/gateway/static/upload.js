// Sending a file with its progress. Without this script the form is sent by the browser itself.
"use strict";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-upload")) return;
  event.preventDefault();
  const file = form.elements.file.files[0];
  if (file && file.size > Number(form.dataset.maxBytes)) {
    fail(form, form.dataset.tooLarge);
    return;
  }
  send(form);
});

function send(form) {
  const body = new FormData(form);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.responseType = "document";
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) show(form, Math.round((event.loaded / event.total) * 100));
  });
  request.addEventListener("load", () => arrived(form, request));
  request.addEventListener("error", () => fail(form, form.dataset.lost));
  busy(form, true);
  show(form, 0);
  request.send(body);
}

// After a success the browser has followed to the list; a refusal is the form again, with its errors.
function arrived(form, request) {
  if (request.responseURL !== form.action) {
    window.location.assign(request.responseURL);
    return;
  }
  if (request.status === 401) { // sign in first, on a page of its own, which keeps the fields but no file
    form.elements.file.value = "";
    form.submit();
    return;
  }
  const answer = request.response && request.response.querySelector("main");
  if (!answer) {
    fail(form, form.dataset.lost);
    return;
  }
  document.title = request.response.title;
  document.querySelector("main").replaceWith(document.adoptNode(answer));
  htmx.process(answer);
  window.scrollTo(0, 0);
  if (!focusNews(answer)) answer.focus({ preventScroll: true });
}

function show(form, percent) {
  const place = form.querySelector("[data-upload-progress]");
  const words = percent < 100 ? form.dataset.sending.replace("{n}", percent) : form.dataset.checking;
  place.querySelector("progress").value = percent;
  if (percent % 10 === 0 || percent > 99) place.querySelector("p").textContent = words; // not each percent is read out
}

function busy(form, sending) {
  form.querySelector("[data-upload-progress]").hidden = !sending;
  form.querySelector("[data-upload-error]").hidden = true;
  form.querySelector("button[type=submit]").disabled = sending;
}

function fail(form, words) {
  busy(form, false);
  const place = form.querySelector("[data-upload-error]");
  place.textContent = words;
  place.hidden = false;
  form.elements.file.focus();
}
