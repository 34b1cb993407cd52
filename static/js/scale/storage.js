/* What this browser keeps of the scale: the book (who, households, prices) and the slips.
   Everything lies in one IndexedDB, so it outlives the page, the browser and the phone's restart. */
"use strict";

const SCALE = "sutian-scale";

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

let opened = null;

function scaleStore() {
  if (!opened) {
    const request = indexedDB.open(SCALE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("kept");
      request.result.createObjectStore("slips", { keyPath: "key" });
    };
    opened = asked(request).then((store) => {
      // Another tab, or signing out, may want to delete it: nobody holds it open against that.
      store.onversionchange = () => { store.close(); opened = null; };
      return store;
    });
  }
  return opened;
}

async function within(stores, mode, work) {
  const store = await scaleStore();
  const transaction = store.transaction(stores, mode);
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
  const result = await work((name) => transaction.objectStore(name));
  await done;
  return result;
}

function readBook() {
  return within(["kept"], "readonly", (at) => asked(at("kept").get("book")));
}

function keepBook(book) {
  return within(["kept"], "readwrite", (at) => asked(at("kept").put(book, "book")));
}

function dropBook() {
  return within(["kept"], "readwrite", (at) => asked(at("kept").delete("book")));
}

/* Oldest first. */
async function allSlips() {
  const found = await within(["slips"], "readonly", (at) => asked(at("slips").getAll()));
  return found.sort((a, b) => a.weighed_at - b.weighed_at || a.seq - b.seq);
}

/* New slips get their numbers in the transaction that keeps them: two tabs never give one twice.
   A slip that has a number already keeps it. */
function keepSlips(slips) {
  return within(["kept", "slips"], "readwrite", async (at) => {
    let device = await asked(at("kept").get("device"));
    let next = await asked(at("kept").get("next")) || 1;
    if (!device) {
      device = "sc-" + Array.from(crypto.getRandomValues(new Uint8Array(10)),
        (byte) => byte.toString(16).padStart(2, "0")).join("");
      at("kept").put(device, "device");
    }
    for (const slip of slips) {
      if (!slip.key) {
        Object.assign(slip, { device, seq: next });
        slip.key = device + "/" + String(next).padStart(8, "0");
        next += 1;
      }
      at("slips").put(slip);
    }
    at("kept").put(next, "next");
    return slips;
  });
}

function dropSlip(key) {
  return within(["slips"], "readwrite", (at) => asked(at("slips").delete(key)));
}

/* States in which the server has not taken a slip for good. */
const UNSENT = ["waiting", "handing", "refused", "conflict"];

async function unsentSlips() {
  return (await allSlips()).filter((slip) => UNSENT.includes(slip.state));
}

/* At signing out: everything goes, unless something was never sent; then only the book goes.
   The phone's number stays as long as its slips do. */
async function forgetScale() {
  if ((await unsentSlips()).length) {
    await dropBook();
    return false;
  }
  (await scaleStore()).close();
  opened = null;
  await asked(indexedDB.deleteDatabase(SCALE));
  if (!("caches" in window)) return true;
  for (const name of await caches.keys()) if (name.startsWith(SCALE)) await caches.delete(name);
  return true;
}
