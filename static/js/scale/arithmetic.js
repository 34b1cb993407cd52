/* What the scale computes: whole grams, hundredths of a fen and fen in BigInt, rounded half up once,
   exactly as `catalog/lots/rules.py` and `kernel/money.py` do. One table of cases proves both. */
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

/* Grams of what was typed or what a scale sent: "128.4", "128.4kg", "25斤", "300 g"; else null. */
const GRAMS = { "": 1000n, kg: 1000n, "公斤": 1000n, "千克": 1000n, g: 1n, "克": 1n,
  "斤": 500n, "两": 50n, t: 1000000n, "吨": 1000000n };

function grams(text) {
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?(kg|g|t|公斤|千克|克|斤|两|吨)?$/i.exec(plain(text) || "0");
  if (!match) return null;
  const value = BigInt(match[1] + (match[2] || "").padEnd(6, "0"))
    * GRAMS[(match[3] || "").toLowerCase()];
  return value % 1000000n === 0n ? value / 1000000n : null;
}

function halfUp(numerator, denominator) {
  return (2n * numerator + denominator) / (2n * denominator);
}

/* (gross − tare) × (1 − deduction), in grams and basis points. */
function netWeight(gross, tare, deduction) {
  return halfUp((gross - tare) * (10000n - deduction), 10000n);
}

/* Fen: hundredths of a fen per kilogram × grams. */
function amountOf(price, net) {
  return halfUp(price * net, 100000n);
}

/* 121444n with three decimals → "121.444"; thousands apart, zeros beyond `least` decimals go. */
function decimal(value, decimals, least) {
  const digits = value.toString().padStart(decimals + 1, "0");
  const head = digits.slice(0, -decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  let tail = digits.slice(-decimals);
  while (tail.length > least && tail.endsWith("0")) tail = tail.slice(0, -1);
  return tail ? head + "." + tail : head;
}
