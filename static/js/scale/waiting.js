/* The queue on the page: what was weighed here, how far each slip is, what can be done about it; and
   what this phone knows of the world. */
"use strict";

const at = (name) => document.querySelector("[data-" + name + "]");
const form = at("scale-form");
let book = null;
let slips = [];
let why = "";
let home = null;
let lines = [];
let correcting = null;

const nowHere = () => Date.now() + (book && book.skew || 0);
const chosenGood = () => {
  const chosen = form.querySelector("input[name=goods]:checked");
  return chosen ? goodsOn(book, dayOf(nowHere()), home)[Number(chosen.value)] : null;
};

async function drawQueue() {
  slips = await allSlips();
  at("none").hidden = slips.length > 0;
  at("queue").replaceChildren(...[...slips].reverse().map(queued));
  drawBanner();
}

function queued(slip) {
  const state = slip.under_review ? words("under_review", slip.number)
    : words(slip.state, slip.number);
  const acts = element("span", { class: "acts" });
  const mine = book && slip.weigher.id === book.weigher.id;
  const act = (name, work) => {
    const button = element("button", { type: "button", class: "btn" }, words(name));
    button.addEventListener("click", work);
    acts.append(button);
  };
  if (mine && ["refused", "conflict"].includes(slip.state)) {
    act("correct", () => correct(slip));
    if (slip.state === "refused") act("again", () => change(slip, { state: "waiting" }));
    act("hand", () => handOver(slip));
  }
  act("print", () => printSlips([slip], book ? book.supplier : ""));
  return element("li", {},
    element("span", { class: "i" }, String(slip.seq).padStart(4, "0")),
    element("span", { class: "n" }, slip.home.name.slice(0, 1) + "*"),
    element("span", { class: "q fig" }, kilos(slip.net_g) + " kg"),
    element("span", { class: "a fig" }, fen(slip.amount)),
    element("span", { class: "r" }, element("small", {}, momentOf(slip.weighed_at) + " " + slip.good.name),
      element("span", { class: slip.state }, state)),
    slip.sentence ? element("span", { class: "why" }, slip.sentence) : null,
    acts);
}

async function change(slip, changes) {
  await keepSlips([Object.assign(slip, changes)]);
  await drawQueue();
  send();
}

/* Under the number of a conflict something else stands already: the manager gets it under a new one. */
async function handOver(slip) {
  const before = slip.state === "conflict" ? slip.key : null;
  if (before) delete slip.key;
  await change(slip, { state: "handing", handed: true });
  if (before) await dropSlip(before);
  await drawQueue();
}

function correct(slip) {
  const known = book.households.find((each) => each.code === slip.home.code);
  choose(known || { ...slip.home, bought: 0, brought: {}, most: {} });
  correcting = slip;
  at("correcting").hidden = false;
  at("correcting").textContent = words("correcting", String(slip.seq).padStart(4, "0"));
  setTimeout(() => {
    goodsOn(book, dayOf(nowHere()), home).forEach((good, place) => {
      if (good.product_id === slip.good.product_id && good.grade === slip.good.grade)
        form.querySelectorAll("input[name=goods]")[place].checked = true;
    });
    form.elements.gross.value = decimal(BigInt(slip.gross_g), 3, 0).replace(/,/g, "");
    form.elements.tare.value = decimal(BigInt(slip.tare_g), 3, 0).replace(/,/g, "");
    form.elements.deduction.value = decimal(BigInt(slip.deduction_bp), 2, 0);
    if (slip.reason) {
      form.elements.asked_price.value = decimal(BigInt(slip.price), 4, 2).replace(/,/g, "");
      form.elements.reason.value = slip.reason;
    }
    drawLive();
  }, 0);
}

/* —— what the phone knows of the world —— */

function drawBanner() {
  const parts = [];
  const say = (head, text, more) => parts.push(element("div", { class: "offline no-print" },
    head ? element("b", {}, head) : null, element("p", {}, text), more || null));
  const mine = slips.filter((slip) => !book || slip.weigher.id === book.weigher.id);
  const unsent = mine.filter((slip) => ["waiting", "handing"].includes(slip.state));
  const trouble = mine.filter((slip) => ["refused", "conflict"].includes(slip.state));
  const offline = why === "offline" || !navigator.onLine;
  const ended = { signed_out: "signed_out", forbidden: "forbidden" }[why];
  if (ended) say("", words(ended),
    element("a", { class: "btn", href: "/sign-in?next=/coop/weigh-in/yard" }, words("sign_in")));
  if (!book) say("", words("no_book"));
  if (unsent.length)
    say(offline ? words("offline") : "", words("unsent", unsent.length, clockOf(unsent[0].weighed_at)));
  else if (offline) say(words("offline"), words("as_of", book ? momentOf(book.as_of) : "—"));
  if (trouble.length) say("", words("trouble", trouble.length));
  const others = new Map();
  for (const slip of slips)
    if (book && slip.weigher.id !== book.weigher.id && UNSENT.includes(slip.state))
      others.set(slip.weigher.name, (others.get(slip.weigher.name) || 0) + 1);
  for (const [name, count] of others) say("", words("others", count, name));
  at("banner").replaceChildren(...parts);
  at("net-state").textContent = words(offline ? "offline" : "online");
  at("who").textContent = book ? book.weigher.name : "";
  at("supplier").textContent = book ? book.supplier : "";
  at("as-of").textContent = book ? words("as_of", momentOf(book.as_of)) : "";
}

let sending = false;

async function send() {
  if (sending) return;
  sending = true;
  try {
    const found = await sendAll();
    why = found.why || "";
    if (found.book) book = found.book;
    else if (why === "forbidden") book = null;
  } finally {
    sending = false;
  }
  await drawQueue();
  if (home && !form.elements.gross.value && !lines.length && book) drawLive();
}
