/* Keeps the scale's page and what it is drawn with, so that it opens without network.
   Nobody's data is kept here: the page has none, the book lies in IndexedDB. */
"use strict";

const KEPT = "sutian-scale-1";
const SCOPE = "/coop/weigh-in";
const PAGE = SCOPE + "/yard";
const PATIENCE = 4000;

function good(answer) {
  return answer.ok && answer.type === "basic" && !answer.redirected;
}

/* The page goes in only when all it needs is there; what it needs no more goes out. */
async function keep(answer) {
  const cache = await caches.open(KEPT);
  const page = await answer.clone().text();
  const needed = [...page.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)]
    .map((match) => match[1].replaceAll("&amp;", "&"));
  const missing = [];
  for (const address of new Set(needed))
    if (!await cache.match(address)) missing.push(address);
  await cache.addAll(missing);
  await cache.put(PAGE, answer);
  for (const request of await cache.keys()) {
    const { pathname, search } = new URL(request.url);
    if (pathname !== PAGE && !needed.includes(pathname + search)) await cache.delete(request);
  }
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil((async () => {
    const answer = await fetch(PAGE, { cache: "no-store" });
    if (good(answer)) await keep(answer);
  })());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/* The network first; the kept page when there is none. The page itself does not wait for long. */
async function open(event) {
  const kept = await (await caches.open(KEPT)).match(PAGE);
  const itself = new URL(event.request.url).pathname === PAGE;
  const fresh = fetch(event.request).then((answer) => {
    if (itself && good(answer)) event.waitUntil(keep(answer.clone()).catch(() => {}));
    return answer;
  });
  if (!kept) return fresh;
  if (!itself) return fresh.catch(() => kept);
  fresh.catch(() => {});
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE));
  return Promise.race([fresh, late]).catch(() => kept);
}

async function drawn(request) {
  return await (await caches.open(KEPT)).match(request) || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(open(event));
  else if (pathname.startsWith("/static/")) event.respondWith(drawn(event.request));
});
