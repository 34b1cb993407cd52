/* Acceptance at the ramp: what is accepted and owed while one types, photos before they are sent.
   Whole numbers only; the server's own sum is what holds. */
"use strict";

(() => {
  const form = document.querySelector("[data-accept]");
  if (!form) return;
  const { shipped, price, per, allowance, tolerance } = form.dataset;
  const whole = Number(shipped);
  const scale = Number(per) === 1 ? 1 : 1000;
  const field = (name) => form.elements.namedItem(name);

  function read(text) {
    const plain = text.normalize("NFKC").replace(/[\s,]/g, "");
    const match = /^(\d{1,9})(?:\.(\d{1,3}))?$/.exec(plain);
    if (!match || (scale === 1 && match[2])) return NaN;
    return scale === 1 ? Number(match[1]) : Number(match[1]) * 1000 + Number((match[2] || "").padEnd(3, "0"));
  }

  const said = (quantity) => (scale === 1 ? String(quantity) : (quantity / 1000).toLocaleString("en", { maximumFractionDigits: 3 }));

  function yuan(fen) {
    const head = (fen / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
    return `¥${head}.${(fen % 100n).toString().padStart(2, "0")}`;
  }

  function fill(name, words, shownAtAll = true) {
    const spot = form.querySelector(`[data-${name}]`);
    if (!spot) return;
    spot.hidden = !shownAtAll;
    if (words !== null) spot.textContent = words;
  }

  function show() {
    const weighed = read(field("weighed").value || "");
    const rejected = read(field("rejected").value || "0");
    const reduced = field("disposition").value === "reduced_price";
    const refused = !Number.isNaN(rejected) && rejected > 0;
    form.querySelector("[data-why]").hidden = !refused && !reduced && !field("more").checked;
    form.querySelector("[data-deduction]").hidden = !reduced;
    if (Number.isNaN(weighed) || Number.isNaN(rejected)) return;
    const short = Math.max(0, whole - weighed);
    const over = Math.max(0, weighed - whole);
    const spot = form.querySelector("[data-short]");
    spot.textContent = "";
    if (short) {
      const mark = document.createElement("span");
      mark.className = short > Number(allowance) ? "w-red" : "w-ok";
      mark.textContent = spot.dataset.shortWords.replace("%n", said(short));
      spot.append(mark, ` ${((short * 100) / whole).toFixed(2)} %, ${tolerance}`);
    } else if (over) {
      spot.textContent = spot.dataset.overWords.replace("%n", said(over));
    }
    const accepted = Math.max(0, Math.min(weighed, whole) - (reduced ? 0 : rejected));
    const off = reduced ? Math.round(Number(field("deduction").value || 0) * 100) : 0;
    const by = 1000000n * BigInt(scale);
    const worth = BigInt(price) * BigInt(accepted) * BigInt(10000 - off);
    fill("good", `${said(Math.min(weighed, whole))} − ${said(reduced ? 0 : rejected)} = ${said(accepted)}`);
    fill("owed", yuan((2n * worth + by) / (2n * by)));
  }

  const photos = field("photos");
  const shelf = form.querySelector("[data-previews]");
  if (photos && shelf) {
    photos.addEventListener("change", () => {
      shelf.textContent = "";
      for (const file of photos.files) {
        const figure = document.createElement("figure");
        const words = document.createElement("figcaption");
        words.textContent = file.name;
        const image = document.createElement("img");
        image.alt = file.name;
        image.src = URL.createObjectURL(file);
        image.addEventListener("load", () => URL.revokeObjectURL(image.src));
        figure.append(image, words);
        shelf.append(figure);
      }
    });
  }

  form.addEventListener("input", show);
  form.addEventListener("change", show);
  show();
})();
