/* Signing out on a phone that weighs: says so when slips were never sent, and takes the rest along. */
"use strict";

document.addEventListener("DOMContentLoaded", async () => {
  const warning = document.querySelector("[data-unsent]");
  const form = warning.parentElement.querySelector("form");
  const known = indexedDB.databases ? await indexedDB.databases() : [{ name: SCALE }];
  if (!known.some((each) => each.name === SCALE)) return;
  const unsent = await unsentSlips();
  warning.hidden = !unsent.length;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await forgetScale();
    } finally {
      form.submit();
    }
  }, { once: true });
});
