/* Without a connection this keeps our own files, the first steps and the page of an open watch; with
   one it shows notifications and sends on what is pressed there. It decides nothing, and never says
   "Got it" for what the server has not stored. */
'use strict';
const KEPT = 'lamp-{{ version }}', MINE = 'lamp-mine', PUSH = 'lamp-push', KEPT_PUSH = '/?push';
const FILES = {{ kept|safe }};
const ICON = {{ icon|safe }};
const LOST = {{ lost|safe }};
const PUSH_KEY = {{ push_key|safe }};
const PATIENCE_MS = 5000;
const WATCH = '{% url "person:watch" %}', PART = '{% url "person:watch_part" %}';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});
self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (![KEPT, MINE, PUSH].includes(name)) await caches.delete(name);
    await self.clients.claim();
  })());
});

/* --- pages -------------------------------------------------------------------------------------- */
const within = (ms, promise) => Promise.race([promise, new Promise((_, no) => setTimeout(no, ms, new Error('late')))]);
/* The newest there is; what was kept where nothing comes in time. */
const fresh = async (request, cache, keep) => {
  const store = await caches.open(cache);
  const path = new URL(request.url).pathname;
  const coming = fetch(request).then(async (answer) => {
    if (answer.ok && !answer.redirected && keep(answer)) await store.put(path, answer.clone());
    else if (cache === MINE && answer.status < 500) await caches.delete(MINE);
    return answer;
  });
  coming.catch(() => {}); /* where what was kept was shown already */
  const kept = await store.match(path);
  if (!kept) return coming;
  try { return await within(PATIENCE_MS, coming); } catch { return kept; }
};
const mine = (answer) => answer.headers.get('Lamp-Keep') === '1';
self.addEventListener('fetch', (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  const opens = request.mode === 'navigate';
  let answer = null;
  if (pathname.startsWith('/static/')) answer = caches.match(request).then((kept) => kept || fetch(request));
  else if (pathname === WATCH && opens || pathname === PART) answer = fresh(request, MINE, mine);
  else if (FILES.includes(pathname)) answer = fresh(request, KEPT, () => true);
  else if (opens) answer = fetch(request);
  if (!answer) return;
  /* Whoever comes and finds no line goes on with the steps, where they were (walk.js). */
  const instead = /^\/(c|r|kit)\//.test(pathname) ? '{% url "guide:help_now" %}' : '{% url "person:offline" %}';
  event.respondWith(opens ? answer.catch(() => caches.match(instead)) : answer);
});

/* --- notifications ------------------------------------------------------------------------------ */
const show = (said, more = {}) => self.registration.showNotification(said.title || 'Lamp', {
  body: said.body, lang: said.lang, tag: said.link, data: said, icon: ICON, badge: ICON,
  renotify: true, requireInteraction: true, vibrate: [400, 100, 400, 100, 400],
  actions: (said.presses || []).map(([action, title]) => ({ action, title })), ...more,
});
self.addEventListener('push', (event) => {
  let said = {};
  try { said = event.data.json(); } catch { /* shown without words: a browser wants something shown */ }
  event.waitUntil(show(said));
});
/* A browser gave itself another address: we take over, or nothing would reach this phone until its
   page is opened. push.js kept the old one, which some browsers no longer name. */
const renew = async (change) => {
  const kept = await (await caches.match(KEPT_PUSH, { cacheName: PUSH }))?.text();
  const old = change.oldSubscription ? JSON.stringify(change.oldSubscription) : kept;
  const fresh = change.newSubscription || await self.registration.pushManager.subscribe(
    { userVisibleOnly: true, applicationServerKey: change.oldSubscription?.options?.applicationServerKey || PUSH_KEY });
  const subscription = JSON.stringify(fresh);
  for (const wait of [0, 2000, 15000]) {
    await new Promise((go) => setTimeout(go, wait));
    let refused = true;
    for (const before of new Set([old, kept])) {
      if (!before) continue;
      const body = new URLSearchParams({ old: before, subscription });
      /* Without our cookies the old one moves nothing. */
      const sent = { method: 'POST', body, credentials: 'same-origin' };
      const answer = await fetch('{% url "hooks:push_renewed" %}', sent).catch(() => null);
      if (answer?.ok) return (await caches.open(PUSH)).put(KEPT_PUSH, new Response(subscription));
      refused &&= answer?.status < 500;
    }
    if (refused) break; /* asked again, it counts as guessing */
  }
  return null; /* the next page that is opened sends it (push.js) */
};
self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renew(event)));
const open = async (link) => {
  for (const page of await self.clients.matchAll({ type: 'window' })) {
    if (page.url.startsWith(link)) return page.focus();
  }
  return self.clients.openWindow(link);
};
/* Pressed is not heard: what does not get through stays on the screen, to be pressed again. */
const press = async (said, key, at) => {
  let answer = null;
  for (const wait of [0, 1000, 3000, 8000]) {
    await new Promise((go) => setTimeout(go, wait));
    try {
      const body = new URLSearchParams({ key, ref: said.ref, age_ms: Math.round(Date.now() - at) });
      answer = await fetch(`${said.link}/key`, { method: 'POST', body, headers: { Accept: 'application/json' } });
      if (answer.status < 500) break;
    } catch { /* no way through: once more */ }
  }
  const heard = await answer?.json().catch(() => null);
  const quietly = { silent: true, requireInteraction: false, vibrate: undefined, renotify: false };
  if (heard?.ok) return show({ ...said, title: 'Lamp', body: heard.says, presses: [] }, quietly);
  return show({ ...said, body: heard?.says || LOST, presses: answer && answer.status < 500 ? [] : said.presses });
};
self.addEventListener('notificationclick', (event) => {
  const said = event.notification.data || {}, at = Date.now();
  event.notification.close();
  if (!said.link) return;
  if (!event.action) { event.waitUntil(open(said.link)); return; }
  const known = said.link.includes('/c/');
  event.waitUntil(Promise.all([press(said, event.action, at), known && open(said.link)]));
});
