/* Small comforts on top of pages that work without them. */
"use strict";

/* An error summary takes the focus, so that it is read first. */
function focusSummary(root) {
  const summary = root.querySelector("[data-focus]");
  if (summary) summary.focus();
}

/* Minus and plus around a number: data-step="-1" | "1" on the buttons, the input between them. */
function step(button) {
  const input = button.parentElement.querySelector("input");
  const least = Number(input.min || 1);
  const most = Number(input.max || 9999);
  const value = Math.round(Number(input.value) || least) + Number(button.dataset.step);
  input.value = Math.min(most, Math.max(least, value));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-step]");
  if (button) step(button);
  if (event.target.closest("[data-print]")) window.print();
});

/* A page kept by the browser's Back must not offer a form that was already sent. */
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector("input[name=once]")) window.location.reload();
});

document.addEventListener("DOMContentLoaded", () => focusSummary(document));
document.addEventListener("htmx:afterSwap", (event) => focusSummary(event.target));

// A box above a column of boxes ticks them all; without it each is ticked by hand.
for (const all of document.querySelectorAll("[data-tick-all]")) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const each of document.querySelectorAll(`input[name="${all.dataset.tickAll}"]`)) each.checked = all.checked;
  });
}

// What a form makes gets its name here, before any server answers; without it the server names it.
if (window.crypto && crypto.randomUUID) {
  for (const field of document.querySelectorAll("input[data-uid]")) field.value ||= crypto.randomUUID();
}

// How long goods are still set aside: counted down beside the sentence that says until when.
for (const clock of document.querySelectorAll("[data-hold]")) {
  const until = Date.parse(clock.dataset.hold);
  const words = clock.querySelector("b");
  const tick = () => {
    const left = Math.max(0, Math.floor((until - Date.now()) / 1000));
    words.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left) return;
    clock.textContent = clock.dataset.over;
    clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  clock.hidden = false;
  tick();
}
