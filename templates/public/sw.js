// Keeps the public pages for times without a network: pages, key set, signed status lists. It never keeps an answer
// about a certificate, an address with a token, or anything typed. Browsers of 2020 and later. No navigation preload:
// where the private side shares this origin, a page that is not ours would be asked for twice.
const VERSION = '{{ version }}';
const PAGES = `ecert-pages-${VERSION}`;
const SCANNER = `ecert-scanner-${VERSION}`;
const DATA = 'ecert-data';
const SHELL = '/offline';
const KEPT = {{ kept | tojson }};
const PARTS = {{ parts | tojson }};
const KEYS = '/.well-known/ecert-keys.json';
const TTL = 5 * 60 * 1000;
const PATIENCE = 8000;
const MOST_LISTS = 1000;

let refreshed = 0;

async function keep(cache, path, accept) {
  const answer = await fetch(path, { headers: { Accept: accept }, credentials: 'omit', cache: 'no-cache' });
  if (!answer.ok) return answer.status;
  const headers = { 'Content-Type': answer.headers.get('content-type') || '', 'ecert-kept-at': String(Date.now()) };
  await cache.put(path, new Response(await answer.arrayBuffer(), { headers }));
  return 200;
}

// All lists, not the one that is asked for: which certificate somebody looks at is nobody's business.
async function refresh() {
  if (Date.now() - refreshed < TTL) return;
  refreshed = Date.now();
  try {
    const cache = await caches.open(DATA);
    await keep(cache, KEYS, 'application/json');
    for (let number = 1; number < MOST_LISTS; number++) {
      if (await keep(cache, `/status-lists/${number}`, 'application/statuslist+cwt') !== 200) break;
    }
  } catch {
    refreshed = 0;
  }
}

async function install() {
  const cache = await caches.open(PAGES);
  await cache.addAll(KEPT.map((path) => new Request(path, { credentials: 'omit', cache: 'no-cache' })));
  await refresh();
  await skipWaiting();
}

async function activate() {
  const ours = [PAGES, SCANNER, DATA];
  for (const name of await caches.keys()) if (name.startsWith('ecert-') && !ours.includes(name)) await caches.delete(name);
  await clients.claim();
}

// The network's answer; the kept page when there is none, or none in good time.
async function page(event, path) {
  const cache = await caches.open(PAGES);
  const spare = await cache.match(path, { ignoreVary: true });
  const answer = fetch(event.request);
  if (!spare) return answer;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, spare));
  const found = await Promise.race([answer.catch(() => spare), late]);
  if (found !== spare) event.waitUntil(refresh());
  return found;
}

async function part(request) {
  const kept = await caches.match(request, { ignoreVary: true });
  return kept || fetch(request);
}

addEventListener('install', (event) => event.waitUntil(install()));
addEventListener('activate', (event) => event.waitUntil(activate()));
addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate') {
    // A question about a day in the past is one for the register alone.
    if (/^\/v\/[a-z2-7]{26}$/i.test(url.pathname) && !url.search) event.respondWith(page(event, SHELL));
    else if (KEPT.includes(url.pathname) && url.pathname !== SHELL) event.respondWith(page(event, url.pathname));
  } else if (KEPT.includes(url.pathname) || PARTS.includes(url.pathname)) {
    event.respondWith(part(request));
  }
});
// The scan page asks for its decoders to be kept: they are large, and most visitors never scan here.
addEventListener('message', (event) => {
  if (event.data === 'keep-scanner') event.waitUntil(caches.open(SCANNER).then((cache) => cache.addAll(PARTS)));
  if (event.data === 'refresh') event.waitUntil(refresh());
});
