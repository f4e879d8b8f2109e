/* Keeps one page, in both languages, that is nobody's, with its style sheets and scripts; it is shown when a page cannot be loaded because
   there is no network (ADR 62). No page of a person is ever kept: the copy is fetched without cookies. Served as /offline-worker.js, whose
   address carries the language of the reader and the digests of what the page needs. */
const PAGE = "/offline", CACHE = `offline ${self.location.search}`, LANGUAGES = ["zh", "en"];
const language = new URLSearchParams(self.location.search).get("lang")?.startsWith("en") ? "en" : "zh";
const pageIn = (lang) => `${PAGE}?lang=${lang}`;

async function keepAll() {
  const cache = await caches.open(CACHE);
  for (const lang of LANGUAGES) {
    const answer = await fetch(pageIn(lang), { credentials: "omit", cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(`no ${pageIn(lang)}`);
    const text = await answer.clone().text();
    await cache.put(pageIn(lang), answer);
    await cache.addAll([...new Set([...text.matchAll(/(?:href|src)="(\/static\/[^"]+\.(?:css|js|svg))"/g)].map((found) => found[1]))]);
  }
}

self.addEventListener("install", (event) => event.waitUntil(keepAll().then(() => self.skipWaiting())));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("offline ") && name !== CACHE) await caches.delete(name);
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event, address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => instead(address)));
  else if (address.pathname.startsWith("/static/")) event.respondWith(fetch(request).catch(async () => (await caches.match(request)) ?? Response.error()));
});

async function instead(address) {
  const cache = await caches.open(CACHE), asked = address.searchParams.get("lang");
  return (await cache.match(pageIn(LANGUAGES.includes(asked) ? asked : language))) ?? Response.error();
}
