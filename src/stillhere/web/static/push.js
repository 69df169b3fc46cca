/* Lets this browser show notifications, if its owner wants that, and keeps what works offline. */
(() => {
  'use strict';
  const form = document.querySelector('[data-push]');
  if (!form || !navigator.serviceWorker || document.documentElement.hasAttribute('data-borrowed')) return;
  const said = form.querySelector('[role=status]'), button = form.querySelector('button');
  const remembered = (value) => {
    try {
      if (value !== undefined) localStorage.setItem('lamp.push', value);
      return localStorage.getItem('lamp.push');
    } catch { return null; }
  };
  const mine = (subscription) => form.action + form.dataset.of + subscription.endpoint;
  const late = (ms) => new Promise((_, no) => setTimeout(no, ms, new Error('late')));
  const send = async (subscription) => {
    const body = new URLSearchParams(new FormData(form));
    body.set('subscription', JSON.stringify(subscription));
    const answer = await fetch(form.action, { method: 'POST', body, headers: { Accept: 'application/json' } });
    const heard = await answer.json();
    if (!heard.ok) return heard;
    remembered(mine(subscription));
    await caches.open('lamp-push').then((kept) => kept.put('/?push', new Response(JSON.stringify(subscription)))).catch(() => {});
    return heard;
  };
  const begin = async () => {
    const worker = await navigator.serviceWorker.register('/sw.js');
    if (!window.PushManager || !window.Notification) {
      if ('standalone' in navigator && !navigator.standalone && !('quiet' in form.dataset)) { form.hidden = false; button.hidden = true; said.textContent = form.dataset.home; }
      return;
    }
    const has = await worker.pushManager.getSubscription();
    if (has && Notification.permission === 'granted') {
      if (remembered() !== mine(has)) await send(has);
      return;
    }
    form.hidden = Notification.permission === 'denied' || 'quiet' in form.dataset;
  };
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      if (await Notification.requestPermission() !== 'granted') throw new Error('no');
      const worker = await navigator.serviceWorker.ready;
      const wanted = { userVisibleOnly: true, applicationServerKey: form.dataset.push };
      const heard = await send(await Promise.race([worker.pushManager.subscribe(wanted), late(15000)]));
      said.textContent = heard.says;
      button.hidden = heard.ok;
    } catch { said.textContent = form.dataset.no; }
    button.disabled = false;
  });
  addEventListener('load', () => setTimeout(() => begin().catch(() => {}), 500));
})();
