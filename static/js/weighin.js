/* The scale's form: net weight, amount and season while the numbers are typed (`scale/arithmetic.js`).
   What the server writes on the slip is what counts. */
"use strict";

function weigh(form) {
  const live = form.querySelector("[data-live]");
  const goods = form.querySelector("input[name=goods]:checked");
  const gross = grams(form.elements.gross.value);
  const tare = grams(form.elements.tare.value);
  const deduction = whole(form.elements.deduction.value.replace("%", ""), 2);
  for (const each of form.querySelectorAll("[data-rule]"))
    each.hidden = !goods || each.dataset.rule !== goods.value;
  for (const each of form.querySelectorAll("[data-season]"))
    each.hidden = !goods || !goods.value.startsWith(each.dataset.season + ":");
  const known = goods && gross !== null && tare !== null && deduction !== null;
  live.hidden = !known;
  if (!known) return;
  const net = gross > tare && deduction < 10000n ? netWeight(gross, tare, deduction) : 0n;
  const other = form.elements.asked_price.value && whole(form.elements.asked_price.value, 4);
  const price = other || BigInt(goods.dataset.price);
  const show = (name, text) => { live.querySelector("[data-" + name + "]").textContent = text; };
  show("net", decimal(net, 3, 3));
  show("jin", decimal(net * 2n, 3, 3));
  show("amount", decimal(amountOf(price, net), 2, 2));
  show("per-kg", decimal(price, 4, 2));
  const half = live.querySelector("[data-per-jin]");
  if (half) half.textContent = decimal(halfUp(price, 200n), 2, 2);
  show("sum", "(" + decimal(gross, 3, 0) + " − " + decimal(tare, 3, 0) + ") × "
    + decimal(10000n - deduction, 2, 0) + " % = " + decimal(net, 3, 3));
}

/* Enter moves on, as scales and hands with gloves want it; only the button writes the slip. */
function enterMovesOn(form) {
  const numbers = ["gross", "tare", "deduction"].map((name) => form.elements[name]);
  numbers.forEach((field, place) => field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const next = numbers[place + 1] || form.querySelector("button.pri");
    next.focus();
    if (next.select) next.select();
  }));
}

document.addEventListener("DOMContentLoaded", () => {
  document.documentElement.classList.add("js");
  for (const form of document.querySelectorAll("form[data-scale]")) {
    form.addEventListener("input", () => weigh(form));
    form.addEventListener("reset", () => setTimeout(() => weigh(form), 0));
    enterMovesOn(form);
    weigh(form);
  }
});
