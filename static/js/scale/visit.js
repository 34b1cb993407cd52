/* One household's visit: the goods it brought, what each comes to, and how it says yes. Pure of the
   page's other halves: it reads the form and the book and makes slips. */
"use strict";

/* Today's prices out of a book that also knows tomorrow's; what the household grows or has brought
   before stands first. */
function goodsOn(book, day, home) {
  const expected = ({ product_id: key }) =>
    Boolean((home.brought || {})[key] || (home.most || {})[key]);
  return book.goods.filter((each) => each.from <= day && (!each.to || day <= each.to))
    .sort((a, b) => expected(b) - expected(a));
}

/* What was typed: {gross, tare, deduction, price, net, amount} in BigInt, or errors by field. */
function readLine(form, good) {
  const errors = {};
  const gross = grams(form.elements.gross.value);
  const tare = grams(form.elements.tare.value);
  const deduction = whole(form.elements.deduction.value.replace("%", ""), 2);
  const asked = form.elements.asked_price.value ? whole(form.elements.asked_price.value, 4) : 0n;
  if (!gross) errors.gross = words("e_gross");
  else if (gross > 100000000n) errors.gross = words("e_tonnes");
  else if (tare === null || tare >= gross) errors.tare = words("e_tare");
  if (deduction === null || deduction >= 10000n) errors.deduction = words("e_deduction");
  if (asked === null || (form.elements.asked_price.value && !asked)) errors.asked_price = words("e_price");
  else if (asked && !form.elements.reason.value.trim()) errors.reason = words("e_reason");
  if (Object.keys(errors).length) return { errors };
  const price = asked || BigInt(good.price);
  const net = netWeight(gross, tare, deduction);
  if (net <= 0n) return { errors: { gross: words("e_gross") } };
  return { gross, tare, deduction, price, net, amount: amountOf(price, net),
    reason: asked && asked !== BigInt(good.price) ? form.elements.reason.value.trim() : "" };
}

/* How the household says yes: {confirmation, …}, or errors by field. */
function readYes(form) {
  const chosen = form.querySelector("input[name=confirmation]:checked");
  const way = chosen ? chosen.value : "";
  const signs = way === "signature" || way === "proxy";
  const found = {
    confirmation: way || null,
    signature: signs && form.elements.signature.value || null,
    confirmed_by: way === "proxy" ? form.elements.confirmed_by.value.trim() : "",
    card_code: way === "card_code" ? plain(form.elements.card_code.value) : "",
  };
  if (way === "proxy" && !found.confirmed_by) return { errors: { confirmed_by: words("e_proxy") } };
  if (way === "card_code" && !/^\d{6}$/.test(found.card_code))
    return { errors: { card_code: words("e_card") } };
  return found;
}

/* A slip as the browser keeps it. */
function slipOf(line, yes, home, weigher, weighedAt) {
  return {
    state: "waiting", sentence: "", weigher, home, good: line.good, weighed_at: weighedAt,
    gross_g: Number(line.gross), tare_g: Number(line.tare), deduction_bp: Number(line.deduction),
    net_g: Number(line.net), price: Number(line.price), amount: Number(line.amount),
    reason: line.reason, photo: line.photo || null, ...yes,
  };
}

/* What a household sold and brought this year: the book, and what this phone has weighed since. */
function yearOf(home, book, slips, lines) {
  let bought = home.bought || 0;
  const brought = { ...home.brought };
  const more = (product, net, amount) => {
    bought += amount;
    brought[product] = (brought[product] || 0) + net;
  };
  for (const slip of slips) {
    const counted = ["waiting", "handing"].includes(slip.state)
      || slip.state === "written" && slip.answered_at + (book.skew || 0) > book.as_of;
    if (counted && slip.home.code === home.code)
      more(slip.good.product_id, slip.net_g, slip.amount);
  }
  for (const line of lines) more(line.good.product_id, Number(line.net), Number(line.amount));
  return { bought, brought };
}

/* By name, beginning of pinyin or initials, or code; also what a card's QR says. */
function matching(book, typed) {
  const link = /[?&]household=([^&\s]+)/.exec(typed);
  const text = (link ? decodeURIComponent(link[1]) : typed).normalize("NFKC").trim();
  const asked = text.toLowerCase().replace(/[\s']/g, "");
  if (!asked) return { text, found: [] };
  const score = (home) => {
    if (home.name === text || home.code.toLowerCase() === asked) return 0;
    if (home.initials === asked) return 1;
    if (home.name.includes(text) || home.pinyin.startsWith(asked)
      || home.initials.startsWith(asked)) return 2;
    return asked.length > 2 && home.code.toLowerCase().includes(asked) ? 3 : null;
  };
  const found = book.households.map((home) => [score(home), home])
    .filter(([place]) => place !== null)
    .sort((a, b) => a[0] - b[0]).slice(0, 8).map(([, home]) => home);
  return { text, found };
}
