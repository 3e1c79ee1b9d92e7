// On a narrow screen the tabs are wider than it: the one we are in is moved into sight.
"use strict";

const current = document.querySelector(".tabs [aria-current]");
if (current) current.parentElement.scrollLeft = current.offsetLeft - (window.innerWidth - current.offsetWidth) / 2;
