/* Sending what waits. A slip leaves the queue only when the server has said what became of it;
   whatever else happens — no network, a signed-out phone, an error of ours — it stays as it is. */
"use strict";

const ADDRESS = "/coop/weigh-in/";

/* The newest book, or why there is none: "offline", "signed_out", "forbidden". */
async function fetchBook() {
  let answer;
  try {
    answer = await fetch(ADDRESS + "book", {
      redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(20000),
    });
  } catch {
    return { why: "offline" };
  }
  if (answer.type === "opaqueredirect") return { why: "signed_out" };
  if (answer.status === 403) {
    // Whoever is signed in now may not see whom the list names.
    await dropBook();
    return { why: "forbidden" };
  }
  if (!answer.ok) return { why: "offline" };
  const book = await answer.json();
  const skew = book.as_of - Date.now();
  // A few minutes are the phone's business; a wrong day is not.
  book.skew = Math.abs(skew) > 300000 ? skew : 0;
  await keepBook(book);
  return { book };
}

function asSent(slip) {
  return {
    device: slip.device, device_seq: String(slip.seq), weigher_id: slip.weigher.id,
    weighed_at: slip.weighed_at, household: slip.home.code, product_id: slip.good.product_id,
    grade: slip.good.grade, gross_g: slip.gross_g, tare_g: slip.tare_g,
    deduction_bp: slip.deduction_bp, price: slip.price, amount: slip.amount, reason: slip.reason,
    confirmation: slip.confirmation, confirmed_by: slip.confirmed_by, signature: slip.signature,
    card_code: slip.card_code,
  };
}

/* One slip; false when there is no use in going on now. */
async function sendSlip(slip, csrf) {
  const form = new FormData();
  form.append("slip", JSON.stringify(asSent(slip)));
  if (slip.photo) form.append("photo", slip.photo, "scale.jpg");
  if (slip.handed) form.append("said", slip.sentence || "");
  let answer, said;
  try {
    answer = await fetch(ADDRESS + "queue", {
      method: "POST", body: form, redirect: "manual", headers: { "X-CSRFToken": csrf },
      signal: AbortSignal.timeout(60000),
    });
    said = await answer.json();
  } catch {
    return false;
  }
  if (!said.outcome || said.outcome === "somebody_else") return false;
  slip.state = said.outcome;
  slip.answered_at = Date.now();
  if (said.outcome !== "handed_over") slip.sentence = said.sentence || "";
  if (said.outcome === "written") {
    Object.assign(slip, {
      number: said.number, under_review: said.under_review, amount: said.amount,
      photo: null, signature: slip.signature,
    });
  }
  await keepSlips([slip]);
  return true;
}

const SENDABLE = ["waiting", "handing", "handed_over"];

/* Sends what the signed-in person weighed here; {book} or {why} as the server answered. */
async function sendAll() {
  const work = async () => {
    let found = await fetchBook();
    if (!found.book) return found;
    let sent = 0;
    for (const slip of await allSlips()) {
      if (!SENDABLE.includes(slip.state) || slip.weigher.id !== found.book.weigher.id) continue;
      if (!await sendSlip(slip, found.book.csrf)) return { book: found.book, why: "offline" };
      sent += 1;
    }
    if (sent) found = await fetchBook();
    await tidyUp();
    return found;
  };
  if (!navigator.locks) return work();
  return navigator.locks.request(SCALE, work);
}

/* What is settled stays readable for two days. */
async function tidyUp() {
  const before = Date.now() - 2 * 86400000;
  for (const slip of await allSlips())
    if (["written", "dismissed"].includes(slip.state) && slip.answered_at < before)
      await dropSlip(slip.key);
}
