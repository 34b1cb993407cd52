/* The scale: net weight, amount and season while the numbers are typed, and a field to sign in.
   Whole grams and hundredths of a fen in BigInt, rounded half up once, exactly as the server does.
   What the server writes on the slip is what counts. */
"use strict";

function plain(text) {
  return text.normalize("NFKC").replace(/[\s,，]/g, "").replace("。", ".");
}

/* "12.5" → 12500n for three decimals; null for anything that is no such number. */
function whole(text, decimals) {
  const match = /^(\d{1,9})(?:\.(\d*))?$/.exec(plain(text) || "0");
  if (!match || (match[2] || "").length > decimals) return null;
  return BigInt(match[1] + (match[2] || "").padEnd(decimals, "0"));
}

function halfUp(numerator, denominator) {
  return (2n * numerator + denominator) / (2n * denominator);
}

function decimal(value, decimals, least) {
  const digits = value.toString().padStart(decimals + 1, "0");
  const head = digits.slice(0, -decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  let tail = digits.slice(-decimals);
  while (tail.length > least && tail.endsWith("0")) tail = tail.slice(0, -1);
  return tail ? head + "." + tail : head;
}

function weigh(form) {
  const live = form.querySelector("[data-live]");
  const goods = form.querySelector("input[name=goods]:checked");
  const gross = whole(form.elements.gross.value, 3);
  const tare = whole(form.elements.tare.value, 3);
  const deduction = whole(form.elements.deduction.value.replace("%", ""), 2);
  for (const each of form.querySelectorAll("[data-rule]"))
    each.hidden = !goods || each.dataset.rule !== goods.value;
  for (const each of form.querySelectorAll("[data-season]"))
    each.hidden = !goods || !goods.value.startsWith(each.dataset.season + ":");
  const known = goods && gross !== null && tare !== null && deduction !== null;
  live.hidden = !known;
  if (!known) return;
  const net = gross > tare && deduction < 10000n
    ? halfUp((gross - tare) * (10000n - deduction), 10000n) : 0n;
  const price = BigInt(goods.dataset.price);
  const show = (name, text) => { live.querySelector("[data-" + name + "]").textContent = text; };
  show("net", decimal(net, 3, 3));
  show("jin", decimal(net * 2n, 3, 3));
  show("amount", decimal(halfUp(price * net, 100000n), 2, 2));
  show("per-kg", decimal(price, 4, 2));
  const half = live.querySelector("[data-per-jin]");
  if (half) half.textContent = decimal(halfUp(price, 200n), 2, 2);
  show("sum", "(" + decimal(gross, 3, 0) + " − " + decimal(tare, 3, 0) + ") × "
    + decimal(10000n - deduction, 2, 0) + " % = " + decimal(net, 3, 3));
}

function signing(pad) {
  const form = pad.closest("form");
  const field = form.elements.signature;
  const drawing = pad.querySelector("svg");
  const path = pad.querySelector("path");
  const clear = form.querySelector("[data-clear-pad]");
  let pen = false;
  const at = (event) => {
    const box = drawing.getBoundingClientRect();
    const x = Math.round((event.clientX - box.left) * 300 / box.width);
    const y = Math.round((event.clientY - box.top) * 90 / box.height);
    return Math.min(300, Math.max(0, x)) + "," + Math.min(90, Math.max(0, y));
  };
  const draw = (strokes) => {
    field.value = strokes.slice(0, 8000);
    path.setAttribute("d", field.value);
    clear.hidden = !field.value;
  };
  drawing.setAttribute("preserveAspectRatio", "none");
  draw(field.value);
  pad.addEventListener("pointerdown", (event) => {
    pen = true;
    pad.setPointerCapture(event.pointerId);
    draw(field.value + "M" + at(event));
    event.preventDefault();
  });
  pad.addEventListener("pointermove", (event) => { if (pen) draw(field.value + "L" + at(event)); });
  for (const end of ["pointerup", "pointercancel"])
    pad.addEventListener(end, () => { pen = false; });
  clear.addEventListener("click", () => draw(""));
  form.addEventListener("reset", () => setTimeout(() => draw(""), 0));
  const ways = () => {
    const chosen = form.querySelector("input[name=confirmation]:checked");
    const way = chosen ? chosen.value : "";
    const other = form.elements.confirmed_by.closest(".field");
    pad.hidden = way !== "signature" && way !== "proxy";
    clear.hidden = pad.hidden || !field.value;
    other.hidden = way !== "proxy";
  };
  form.addEventListener("change", ways);
  form.addEventListener("reset", () => setTimeout(ways, 0));
  ways();
}

document.addEventListener("DOMContentLoaded", () => {
  document.documentElement.classList.add("js");
  for (const form of document.querySelectorAll("form[data-scale]")) {
    form.addEventListener("input", () => weigh(form));
    form.addEventListener("reset", () => setTimeout(() => weigh(form), 0));
    weigh(form);
  }
  for (const pad of document.querySelectorAll("[data-pad]")) signing(pad);
});
