/* The order grid: keys, pasting from Excel, and sums while one types. Money is counted in whole
   numbers as the server does it; what the server says afterwards is what holds. */
"use strict";

(() => {
  const form = document.querySelector("[data-grid]");
  if (!form) return;
  const rows = [...form.querySelectorAll("[data-row]")];
  const inputs = rows.map((row) => row.querySelector("input"));
  for (const each of document.querySelectorAll(".js[hidden]")) each.hidden = false;

  /* Base units from what was typed: "12.5" kilograms, "25斤" half kilograms; NaN for anything else. */
  function quantityOf(row, text) {
    const plain = text.normalize("NFKC").replace(/[\s,]/g, "").toLowerCase();
    if (!plain) return 0;
    const match = /^(\d{1,9})(?:\.(\d{1,3}))?(kg|公斤|斤|g|t|吨)?$/.exec(plain);
    if (!match) return NaN;
    if (Number(row.dataset.per) === 1) return match[2] || match[3] ? NaN : Number(match[1]);
    const scale = { kg: 1000, 公斤: 1000, 斤: 500, g: 1, t: 1000000, 吨: 1000000 }[match[3] || "kg"];
    const thousandths = Number(match[1]) * 1000 + Number((match[2] || "").padEnd(3, "0"));
    const grams = (thousandths * scale) / 1000;
    return Number.isInteger(grams) ? grams : NaN;
  }

  function shown(row, quantity) {
    if (Number(row.dataset.per) === 1) return quantity.toLocaleString("en");
    return (quantity / 1000).toLocaleString("en", { maximumFractionDigits: 3 });
  }

  /* Hundredths of a fen at this quantity: the last rung it reaches, as catalog.products.rules. */
  function priceOf(row, quantity) {
    let price = 0;
    for (const rung of row.dataset.ladder.split(" ")) {
      const [least, value] = rung.split(":").map(Number);
      if (quantity >= least) price = value;
    }
    return price;
  }

  /* Fen: price × quantity, rounded half up once, as in kernel.money. */
  function amountOf(row, quantity) {
    const price = priceOf(row, quantity);
    const shownPrice = (price / 10000).toFixed(4).replace(/0{1,2}$/, "");
    row.querySelector("[data-unit-price]").textContent = shownPrice;
    const jin = row.querySelector("[data-jin]");
    if (jin) jin.textContent = (Math.floor((price + 100) / 200) / 100).toFixed(2);
    const whole = BigInt(price) * BigInt(quantity);
    const by = 100n * BigInt(row.dataset.per);
    return (2n * whole + by) / (2n * by);
  }

  function yuan(fen) {
    const whole = (fen / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
    return `${whole}.${(fen % 100n).toString().padStart(2, "0")}`;
  }

  function warn(row, words, use) {
    const note = row.querySelector("[data-note]");
    note.textContent = "";
    if (!words) return;
    const mark = document.createElement("span");
    mark.className = "w-red";
    mark.textContent = words;
    note.append(mark);
    if (use) note.append(" ", use);
  }

  function lessButton(row, quantity) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "linklike";
    button.textContent = row.querySelector("[data-note]").dataset.use.replace("%n", shown(row, quantity));
    button.addEventListener("click", () => {
      const input = row.querySelector("input");
      input.value = shown(row, quantity).replaceAll(",", "");
      changed(row);
      input.focus();
    });
    return button;
  }

  /* One row as it stands: its amount, its bar, what is wrong with it. Answers [grams, fen]. */
  function judge(row) {
    const input = row.querySelector("input");
    const data = row.querySelector("[data-note]").dataset;
    const quantity = quantityOf(row, input.value);
    const free = Number(row.dataset.free);
    const step = Number(row.dataset.step);
    let words = "";
    let use = null;
    if (Number.isNaN(quantity)) words = data.odd;
    else if (quantity % step) words = data.steps;
    else if (quantity > free) {
      words = data.over.replace("%n", shown(row, quantity - free));
      const most = free - (free % step);
      if (most > 0) use = lessButton(row, most);
    }
    if (words) row.dataset.touched = "yes";
    row.classList.toggle("err", Boolean(words));
    if (words) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    if (row.dataset.touched) warn(row, words, use);
    const good = Number.isNaN(quantity) ? 0 : quantity;
    const bar = row.querySelector("[data-bar]");
    bar.setAttribute("width", `${free > 0 ? Math.min(100, Math.floor((good * 100) / free)) : good ? 100 : 0}%`);
    bar.setAttribute("class", good > free ? "left" : "tak");
    const fen = amountOf(row, good);
    row.querySelector("[data-amount]").textContent = good ? yuan(fen) : "";
    return [Number(row.dataset.per) === 1 ? 0 : good, fen, good ? 1 : 0];
  }

  const submit = form.querySelector("[data-submit]");
  const submitWords = submit.textContent;

  /* What is wrong stands on the button: nobody sends what cannot be ordered. */
  function guard() {
    const at = rows.findIndex((row) => row.classList.contains("err"));
    submit.disabled = at >= 0;
    submit.textContent = at >= 0 ? submit.dataset.wrong.replace("%n", String(at + 1)) : submitWords;
  }

  function sum() {
    let grams = 0;
    let fen = 0n;
    let lines = 0;
    for (const row of rows) {
      const [weight, amount, one] = judge(row);
      grams += weight;
      fen += amount;
      lines += one;
    }
    const count = form.querySelector("[data-count]");
    count.textContent = count.textContent.replace(/\d+/, String(lines));
    form.querySelector("[data-weight]").textContent = grams
      ? `${(grams / 1000).toLocaleString("en", { maximumFractionDigits: 3 })} kg` : "";
    form.querySelector("[data-total]").textContent = yuan(fen);
    guard();
  }

  let waiting = 0;
  function changed(row) {
    row.dataset.touched = "yes";
    sum();
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => document.body.dispatchEvent(new Event("grid-changed")), 500);
  }

  function visible(from, by) {
    for (let at = from + by; at >= 0 && at < inputs.length; at += by) {
      if (!rows[at].hidden) return inputs[at];
    }
    return null;
  }

  function step(input, by) {
    const next = visible(inputs.indexOf(input), by);
    if (!next) return;
    next.focus();
    next.select();
  }

  /* A column of numbers fills downwards; "name ⇥ number" lines find their product. */
  function paste(event, input) {
    const text = event.clipboardData.getData("text/plain").replace(/\r/g, "").replace(/\n$/, "");
    if (!/[\n\t]/.test(text)) return;
    event.preventDefault();
    let at = inputs.indexOf(input);
    for (const line of text.split("\n")) {
      const cells = line.split("\t").map((cell) => cell.trim());
      const value = cells[cells.length - 1];
      let target = inputs[at];
      if (cells.length > 1) {
        const words = cells[0].toLowerCase();
        const found = words ? rows.findIndex((row) => row.dataset.words.includes(words)) : -1;
        target = found >= 0 ? inputs[found] : null;
      } else {
        at += 1;
      }
      if (target) {
        target.value = value;
        target.closest("[data-row]").dataset.touched = "yes";
      }
    }
    changed(input.closest("[data-row]"));
  }

  form.addEventListener("input", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) changed(row);
  });
  form.addEventListener("paste", (event) => {
    if (inputs.includes(event.target)) paste(event, event.target);
  });
  form.addEventListener("keydown", (event) => {
    if (!inputs.includes(event.target)) return;
    if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      step(event.target, 1);
    } else if (event.key === "ArrowUp") {
      event.preventDefault();
      step(event.target, -1);
    }
  });

  const find = form.querySelector("[data-find]");
  function filter() {
    const words = find.value.normalize("NFKC").trim().toLowerCase();
    for (const row of rows) row.hidden = Boolean(words) && !row.dataset.words.includes(words);
  }
  find.addEventListener("input", filter);
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    const first = event.key === "Enter" ? visible(-1, 1) : null;
    find.value = "";
    filter();
    if (first) {
      first.focus();
      first.select();
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, select, textarea");
    if (event.key === "/" && (!typing || inputs.includes(event.target))) {
      event.preventDefault();
      find.focus();
    }
  });

  sum();
})();
