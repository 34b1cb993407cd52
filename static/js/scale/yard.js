/* The scale's page: finds the household, weighs, saves on the phone. What this page knows stands in
   `waiting.js`. */
"use strict";

/* —— the household —— */

function showFound() {
  const list = at("found");
  const typed = document.getElementById("f-q").value;
  const { text, found } = book ? matching(book, typed) : { text: "", found: [] };
  list.replaceChildren(...found.map((each) => {
    const button = element("button", { type: "button" },
      element("span", {}, element("b", {}, each.name), element("span", {}, each.place)),
      element("span", { class: "code" }, each.code));
    button.addEventListener("click", () => choose(each));
    return element("li", {}, button);
  }));
  at("nobody").hidden = !text || found.length > 0 || !book;
  at("nobody").textContent = words("nobody");
  // Somebody who came to the village after the list was made: the server will know the code.
  if (book && !found.length && /^[0-9A-Z-]{6,12}$/i.test(text)) {
    const code = text.toUpperCase();
    const button = element("button", { type: "button" }, words("unlisted", code));
    button.addEventListener("click", () => choose({
      code, name: code, place: words("unlisted_place"), bought: 0, brought: {}, most: {},
    }));
    list.append(element("li", {}, button));
  }
  return found;
}

function choose(chosen) {
  home = chosen;
  lines = [];
  at("find").hidden = true;
  at("weigh").hidden = false;
  at("name").textContent = home.name;
  at("place").textContent = home.place + " " + home.code;
  at("confirms").textContent = words("confirms", home.name);
  at("signs").textContent = words("signs_here", home.name);
  drawGoods();
  form.reset();
  setTimeout(() => { drawLive(); form.elements.gross.focus(); }, 0);
}

function leave() {
  home = null;
  lines = [];
  correcting = null;
  at("correcting").hidden = true;
  at("weigh").hidden = true;
  at("find").hidden = false;
  const field = document.getElementById("f-q");
  field.value = "";
  showFound();
  field.focus();
}

function drawGoods() {
  const field = document.getElementById("f-goods");
  field.querySelectorAll("label, p").forEach((each) => each.remove());
  const goods = goodsOn(book, dayOf(nowHere()), home);
  goods.forEach((good, place) => {
    const choice = element("input", { type: "radio", name: "goods", value: place });
    choice.defaultChecked = place === 0;
    field.append(element("label", {}, choice, element("span", {}, good.name)));
  });
  if (!goods.length) field.append(element("p", { class: "say" }, words("no_price")));
}

/* —— the numbers —— */

/* Only when something differs: a page that moves under the finger loses the tap. */
function replace(place, content) {
  const before = place.innerHTML;
  const fresh = element("div", {}, ...content);
  if (fresh.innerHTML !== before) place.replaceChildren(...content);
}

function drawLive() {
  const good = home && chosenGood();
  drawVisit();
  if (!good) { at("live").hidden = true; return; }
  const line = readLine(form, good);
  at("live").hidden = Boolean(line.errors);
  at("rule").textContent = good.to
    ? words("price_until", good.from, good.to, good.resolution)
    : words("price_of", good.from, good.resolution);
  drawLimits(good, line);
  if (line.errors) return;
  at("net").textContent = decimal(line.net, 3, 3);
  at("jin").textContent = decimal(line.net * 2n, 3, 3);
  at("amount").textContent = decimal(line.amount, 2, 2);
  at("per-kg").textContent = decimal(line.price, 4, 2);
  if (at("per-jin")) at("per-jin").textContent = decimal(halfUp(line.price, 200n), 2, 2);
  at("sum").textContent = "(" + decimal(line.gross, 3, 0) + " − " + decimal(line.tare, 3, 0)
    + ") × " + decimal(10000n - line.deduction, 2, 0) + " % = " + decimal(line.net, 3, 3);
}

function bar(part, full) {
  const share = full > 0 ? Math.min(100, Math.round(part * 10000 / full) / 100) : 100;
  return element("svg", { class: "cap", "aria-hidden": "true", focusable: "false" },
    element("rect", { class: "off", width: "100%", height: "100%" }),
    element("rect", { class: "tak", width: share + "%", height: "100%" }));
}

/* Season and cap with what this phone has weighed since; over them the slip waits for the manager. */
function drawLimits(good, line) {
  const others = slips.filter((slip) => !correcting || slip.key !== correcting.key);
  const year = yearOf(home, book, others, lines);
  const net = line.errors ? 0 : Number(line.net), amount = line.errors ? 0 : Number(line.amount);
  const brought = year.brought[good.product_id] || 0;
  const most = (home.most || {})[good.product_id];
  const said = [];
  const say = (text, loud) => said.push(element("p", { class: loud ? "say w-red" : "say" }, text));
  if (most === undefined) say(words("season_open", kilos(brought)));
  else {
    say(words("season", kilos(brought), decimal(BigInt(most), 3, 0)));
    said.push(bar(brought + net, most));
    if (brought + net > most) say(words("too_much"), true);
  }
  if (book.cap !== null) {
    say(words("cap", fen(year.bought), fen(book.cap)));
    said.push(bar(year.bought + amount, book.cap));
    if (year.bought + amount > book.cap) say(words("cap_over"), true);
    else if (5 * (year.bought + amount) >= 4 * book.cap) say(words("cap_near"), true);
  }
  replace(at("limits"), said);
}

function drawVisit() {
  at("visit").hidden = !lines.length;
  replace(at("lines"), lines.map((line, place) => {
    const out = element("button", { type: "button", class: "btn" }, words("remove"));
    out.addEventListener("click", () => { lines.splice(place, 1); drawLive(); });
    return element("li", {}, element("span", { class: "i" }, String(place + 1)),
      element("span", { class: "n" }, words("line", line.good.name, decimal(line.net, 3, 3),
        fen(line.amount))), out);
  }));
  at("visit-count").textContent = words("visit", lines.length);
  at("visit-amount").textContent = fen(lines.reduce((sum, line) => sum + line.amount, 0n));
}

function showErrors(errors) {
  for (const each of form.querySelectorAll(".err")) {
    const name = each.id.slice(2, -6);
    each.textContent = errors[name] || "";
    each.hidden = !errors[name];
    form.elements[name].setAttribute("aria-invalid", errors[name] ? "true" : "false");
    each.closest(".field").classList.toggle("bad", Boolean(errors[name]));
  }
  const first = Object.keys(errors)[0];
  if (!first) return;
  const details = form.elements[first].closest("details");
  if (details) details.open = true;
  form.elements[first].focus();
}

async function currentLine() {
  const good = chosenGood();
  if (!good) return { errors: { gross: words("no_price") } };
  const line = readLine(form, good);
  if (line.errors) return line;
  const file = form.elements.photo.files[0];
  line.good = { product_id: good.product_id, grade: good.grade, name: good.name,
    resolution: good.resolution };
  const before = correcting && correcting.photo;
  line.photo = file ? await shrunk(file) : before;
  if (file && !line.photo) {
    // The goods are on the scale: the slip is kept, and only the picture has to be taken again.
    line.photo = before;
    line.unread = file.name;
  }
  return line;
}

async function addLine() {
  const line = await currentLine();
  showErrors(line.errors || {});
  if (line.errors) return;
  lines.push(line);
  if (line.unread) tell(unreadPhotos([line]));
  for (const [name, value] of [["gross", ""], ["tare", "0"], ["deduction", "0"],
    ["asked_price", ""], ["reason", ""], ["photo", ""]]) form.elements[name].value = value;
  drawLive();
  form.elements.gross.focus();
}

let saving = false;

async function save(printing) {
  if (saving) return;
  saving = true;
  try {
    const visit = [...lines];
    // After "another product" an empty weight is no mistake: nothing more was brought.
    if (!visit.length || form.elements.gross.value.trim()) {
      const line = await currentLine();
      showErrors(line.errors || {});
      if (line.errors) return;
      visit.push(line);
    }
    const yes = readYes(form);
    showErrors(yes.errors || {});
    if (yes.errors) return;
    const whose = { code: home.code, name: home.name, place: home.place };
    const made = visit.map((line) => slipOf(line, yes, whose, book.weigher, nowHere()));
    const before = correcting;
    if (before) {
      // A refused slip keeps its number: nothing was written under it. A conflict takes a new one.
      made[0].weighed_at = before.weighed_at;
      if (before.state === "refused")
        Object.assign(made[0], { key: before.key, device: before.device, seq: before.seq });
    }
    const kept = await keepSlips(made);
    if (before && before.state === "conflict") await dropSlip(before.key);
    await drawQueue();
    if (printing) printSlips(kept, book.supplier);
    const sum = made.reduce((total, slip) => total + slip.amount, 0);
    tell([words("saved", home.name, fen(sum)), unreadPhotos(visit)].join(" ").trim());
    leave();
    send();
  } finally {
    saving = false;
  }
}

/* What to say of photos this phone could not read; nothing if it read them all. */
function unreadPhotos(visit) {
  const names = visit.filter((line) => line.unread).map((line) => line.unread);
  return names.length ? words("photo_unread", names.join(", ")) : "";
}

function tell(sentence) {
  at("said").textContent = sentence;
  at("said").hidden = false;
}

/* —— in the beginning —— */

function listen() {
  const numbers = ["gross", "tare", "deduction"].map((name) => form.elements[name]);
  numbers.forEach((field, place) => field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const next = numbers[place + 1] || at("save");
    next.focus();
    if (next.select) next.select();
  }));
  form.addEventListener("input", drawLive);
  form.addEventListener("submit", (event) => { event.preventDefault(); save(false); });
  at("save-print").addEventListener("click", () => save(true));
  at("more").addEventListener("click", addLine);
  at("other").addEventListener("click", leave);
  at("send").addEventListener("click", send);
  at("finder").addEventListener("input", showFound);
  at("finder").addEventListener("submit", (event) => {
    event.preventDefault();
    const found = showFound();
    if (found.length) choose(found[0]);
  });
  if ("BarcodeDetector" in window && navigator.mediaDevices) {
    at("scan").hidden = false;
    at("scan").addEventListener("click", scan);
  }
  window.addEventListener("online", send);
  window.addEventListener("offline", () => { why = "offline"; drawBanner(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  setInterval(() => { if (slips.some((slip) => SENDABLE.includes(slip.state))) send(); }, 30000);
}

async function begin() {
  listen();
  if ("serviceWorker" in navigator)
    navigator.serviceWorker.register("/coop/weigh-in/worker.js", { scope: "/coop/weigh-in" });
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
  try {
    book = await readBook() || null;
  } catch {
    tell(words("e_storage"));
    return;
  }
  await drawQueue();
  document.getElementById("f-q").focus();
  const asked = (new URLSearchParams(location.search).get("household") || "").toUpperCase();
  const arrive = () => {
    const found = book && !home && book.households.find((each) => each.code === asked);
    if (found) choose(found);
  };
  arrive();  // whoever's card was scanned need not wait for a network
  await send();
  arrive();
}

begin();
