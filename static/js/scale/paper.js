/* Small words and drawing for the scale's page, and the slip on a roll 58 mm wide. */
"use strict";

const WORDS = JSON.parse(document.getElementById("words").textContent);
const LANGUAGE = document.documentElement.lang;

/* words("visit", 3) → the sentence of that name with {0} filled in. */
function words(name, ...values) {
  return WORDS[name].replace(/\{(\d)\}/g, (_, place) => values[place]);
}

/* element("b", {class: "fig"}, "12", other) with texts and elements inside; never HTML. */
function element(name, attributes, ...inside) {
  const space = ["svg", "path", "rect"].includes(name) ? "http://www.w3.org/2000/svg" : null;
  const made = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...inside.filter((each) => each !== null));
  return made;
}

const kilos = (value) => decimal(BigInt(value), 3, 3);
const fen = (value) => "¥" + decimal(BigInt(value), 2, 2);

function inShanghai(instant, options) {
  return new Intl.DateTimeFormat(LANGUAGE, { timeZone: "Asia/Shanghai", ...options }).format(instant);
}

const clockOf = (instant) => inShanghai(instant, { hour: "2-digit", minute: "2-digit", hour12: false });
const momentOf = (instant) => inShanghai(instant, { month: "short", day: "numeric" }) + " " + clockOf(instant);

/* 2026-11-23, as prices say their days. */
function dayOf(instant) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai" }).format(instant);
}

function paperOf(slip, supplier) {
  const row = (name, value, strong) => element("div", strong ? { class: "b" } : {},
    element("dt", {}, words(name)), element("dd", {}, value));
  const strokes = slip.signature
    ? element("svg", { viewBox: "0 0 300 90" }, element("path", { d: slip.signature })) : null;
  return element("article", {},
    element("h2", {}, words("p_title")),
    element("p", {}, supplier),
    element("p", {}, slip.number || slip.device.slice(0, 9) + "-" + String(slip.seq).padStart(4, "0")),
    element("dl", {},
      row("p_household", slip.home.name), row("p_place", slip.home.place),
      row("p_day", dayOf(slip.weighed_at) + " " + clockOf(slip.weighed_at)),
      row("p_goods", slip.good.name),
      row("p_gross", kilos(slip.gross_g) + " kg"), row("p_tare", kilos(slip.tare_g) + " kg"),
      row("p_deduction", decimal(BigInt(slip.deduction_bp), 2, 0) + " %"),
      row("p_net", kilos(slip.net_g) + " kg", true),
      row("p_price", decimal(BigInt(slip.price), 4, 2) + " " + words("yuan_kg")),
      row("p_amount", fen(slip.amount), true),
      row("p_resolution", slip.good.resolution),
      row("p_weigher", slip.weigher.name),
      row("p_confirmed", slip.confirmation ? slip.confirmed_by || slip.home.name : words("p_not_yet"))),
    strokes || element("p", { class: "sign-here" }, words("p_signature")),
    slip.number ? null : element("p", {}, words("p_unsent")),
    element("p", {}, words("p_keep")));
}

/* Only the paper is printed; it works without network like everything here. */
function printSlips(slips, supplier) {
  const paper = document.querySelector("[data-paper]");
  paper.replaceChildren(...slips.map((slip) => paperOf(slip, supplier)));
  paper.classList.add("measured");
  fitRoll(paper.children);
  paper.classList.remove("measured");
  window.print();
}

/* A photo no larger than it must be, without what the camera wrote into it; null if this phone
   cannot read it. */
async function shrunk(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (!picture) return null;
  const scale = Math.min(1, 1280 / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.8));
}
