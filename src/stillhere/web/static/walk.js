/* The walk-through works without this. It goes on where it was after the phone was locked, keeps the
   time of the doses, gives the beat, reads aloud, and tells the others what was done, now or later. */
(() => {
  'use strict';
  const walk = document.getElementById('walk');
  if (!walk) return;
  const KEEP = 'lamp.walk', LASTS_MS = 3 * 3600e3, SECOND_MS = 150e3, ONCE_MS = 60e3;
  const where = walk.dataset.did || '';
  const now = () => Date.now();
  /* Without a line the phone shows its own copy at the alarm's address: that goes on with the alarm. */
  const copy = !where && location.pathname.startsWith('/c/');
  const anew = () => ({ where, begun: now(), at: 0, screen: '', since: 0, deeds: [], voice: true });
  const stored = () => {
    try { return JSON.parse(localStorage.getItem(KEEP)) || {}; } catch { return {}; } /* refused or spoilt */
  };
  let kept = anew();
  const old = stored();
  if (now() - old.at < LASTS_MS && (old.where === where || copy) && Array.isArray(old.deeds) && (where || old.screen !== 'after')) kept = { ...kept, ...old };
  const save = () => {
    const other = stored(); /* another page of ours may have kept more */
    if (other.begun === kept.begun) {
      for (const deed of other.deeds || []) if (!kept.deeds.some((each) => each.id === deed.id)) kept.deeds.push(deed);
    }
    kept.at = now();
    try { localStorage.setItem(KEEP, JSON.stringify(kept)); } catch { /* works while it is open */ }
  };
  const screen = () => document.querySelector('.step:target');
  const clock = (at) => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

  /* --- what was done, for the others and for the crew -------------------------------------------- */
  let sending = false;
  const done = (what, form = '') => {
    save(); /* with what another page has kept */
    if (kept.deeds.some((deed) => deed.what === what && now() - deed.at < ONCE_MS)) return; /* pressed twice */
    kept.deeds.push({ id: `${now()}.${Math.random().toString(36).slice(2, 10)}`, what, form, at: now(), sent: !kept.where });
    save();
    send();
  };
  const send = async () => {
    const deed = kept.deeds.find((each) => !each.sent);
    if (!deed || sending) return;
    sending = true;
    try {
      const body = new URLSearchParams({ what: deed.what, form: deed.form, ref: deed.id, age_ms: now() - deed.at });
      const answer = await fetch(kept.where, { method: 'POST', body, headers: { Accept: 'application/json' } });
      deed.sent = answer.status < 500 && answer.status !== 429;
    } catch { /* no way through: it is kept */ }
    sending = false;
    if (deed.sent) { save(); send(); }
  };
  setInterval(send, 5000);
  addEventListener('online', send);

  /* --- the time of the last dose: ours, or what another phone told the server --------------------- */
  let told = 0, heard = '';
  const lastDose = () => {
    const box = document.getElementById('now')?.dataset;
    if (box?.dose && box.now + box.dose !== heard) { heard = box.now + box.dose; told = now() - (box.now - box.dose); }
    return Math.max(told, ...kept.deeds.filter((deed) => deed.what === 'dose').map((deed) => deed.at));
  };
  const spell = (ms) => `${Math.floor(ms / 60e3)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`;
  const tick = () => {
    const on = screen();
    if (!on) return;
    const timer = on.querySelector('.timer'), dose = lastDose();
    let says = '', due = false;
    if ('stay' in on.dataset) says = walk.dataset.stay.replace('#', walk.dataset.minute.replace('#', Math.floor((now() - (kept.since || now())) / 60e3)));
    else if (dose > 0 && now() - dose < 3600e3 && !on.querySelector('[data-form]') && !kept.since) {
      due = now() - dose >= SECOND_MS;
      says = due ? walk.dataset.due : walk.dataset.next.replace('#', spell(SECOND_MS - (now() - dose)));
    }
    if (kept.deeds.some((deed) => !deed.sent) && !navigator.onLine) says = `${says} ${walk.dataset.kept}`.trim();
    if (timer.textContent !== says) timer.textContent = says;
    timer.hidden = !says;
    if (due && !timer.classList.contains('due')) buzz([400, 100, 400]);
    timer.classList.toggle('due', due);
  };
  setInterval(tick, 1000);

  /* --- the beat: seen, heard, felt ----------------------------------------------------------------- */
  let sound = null, count = 0;
  const buzz = (pattern) => { if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.(pattern); };
  const tone = () => {
    try {
      sound ??= new (window.AudioContext || window.webkitAudioContext)();
      sound.resume();
      const wave = sound.createOscillator(), gain = sound.createGain();
      wave.frequency.value = 523;
      gain.gain.setValueAtTime(0.5, sound.currentTime);
      gain.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.35);
      wave.connect(gain).connect(sound.destination);
      wave.start();
      wave.stop(sound.currentTime + 0.4);
    } catch { /* a phone without sound */ }
  };
  setInterval(() => {
    const on = screen(), beat = on?.querySelector('.beat');
    if (!beat) { count = 0; return; }
    const every = Number(on.dataset.beat);
    const first = count % every === 0;
    beat.classList.add('on');
    beat.classList.toggle('now', first);
    beat.firstChild.textContent = count % every + 1;
    if (first) { tone(); buzz(300); }
    count += 1;
  }, 1000);

  /* --- read aloud ----------------------------------------------------------------------------------- */
  const lang = document.documentElement.lang, player = new Audio();
  const speak = (words, id) => {
    if (!kept.voice) return;
    const synth = window.speechSynthesis;
    if (synth && synth.getVoices().some((voice) => voice.lang.startsWith(lang))) {
      synth.cancel();
      const said = new SpeechSynthesisUtterance(words);
      said.lang = lang;
      said.rate = 0.95;
      synth.speak(said);
    } else if (walk.dataset.sound) {
      player.src = `${walk.dataset.sound}/${id}.wav`;
      player.play().catch(() => {}); /* no sound before the first touch, or no connection */
    }
  };
  const hush = () => { window.speechSynthesis?.cancel(); player.pause(); };
  for (const tools of walk.querySelectorAll('.tools')) {
    const button = document.createElement('a');
    button.href = '#voice';
    button.setAttribute('role', 'button');
    button.className = 'voice';
    tools.append(' ', button);
  }
  const nameVoice = () => { for (const each of walk.querySelectorAll('.voice')) each.textContent = kept.voice ? walk.dataset.mute : walk.dataset.voice; };

  /* --- from screen to screen -------------------------------------------------------------------------- */
  const arrive = () => {
    const on = screen();
    count = 0;
    hush();
    if (!on) return;
    kept.screen = on.id;
    if (on.dataset.does) done(on.dataset.does);
    if (on.dataset.does === 'breathing') kept.since ||= now();
    else if (on.dataset.beat > 0 || on.dataset.does) kept.since = 0;
    save();
    on.scrollTop = 0;
    on.focus({ preventScroll: true });
    const words = on.querySelector('h2').textContent;
    speak(words, on.id);
    const list = on.querySelector('[data-deeds]');
    list?.replaceChildren(...kept.deeds.map((deed) => {
      const line = document.createElement('li');
      line.textContent = `${clock(deed.at)} ${walk.dataset[`d${deed.what}`] || deed.what} ${deed.form}`.trim();
      return line;
    }));
    tick();
    navigator.wakeLock?.request('screen').catch(() => {});
  };
  walk.addEventListener('click', (event) => {
    const link = event.target.closest('a');
    if (!link) return;
    if (link.classList.contains('voice')) {
      event.preventDefault();
      kept.voice = !kept.voice;
      if (!kept.voice) hush();
      else if (screen()) speak(screen().querySelector('h2').textContent, screen().id);
      nameVoice();
      save();
    } else if ('anew' in link.dataset) {
      if (!where && !copy) { kept = anew(); told = 0; save(); } /* somebody else is down */
    } else if ('close' in link.dataset) {
      event.preventDefault();
      kept.screen = '';
      save();
      location.hash = 'top';
      hush();
    } else if (link.dataset.do) done(link.dataset.do, link.dataset.do === 'dose' ? link.dataset.form : '');
  });
  addEventListener('hashchange', arrive);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && screen()) navigator.wakeLock?.request('screen').catch(() => {});
  });

  /* --- coming in: by an arrived contact's press, or back after the phone was locked -------------------- */
  addEventListener('submit', (event) => {
    const form = event.target;
    if (!form.matches('[data-walk]')) return;
    event.preventDefault(); /* with them: the steps begin now, whether the line is there or not */
    const body = new URLSearchParams(new FormData(form));
    location.hash = form.dataset.walk;
    const post = async (wait) => {
      try { if ((await fetch(form.action, { method: 'POST', body })).status < 500) return; } catch { /* again */ }
      setTimeout(post, wait, Math.min(wait * 2, 15000));
    };
    post(1000);
  });
  if (!document.documentElement.hasAttribute('data-borrowed')) navigator.serviceWorker?.register('/sw.js').catch(() => {});
  nameVoice();
  if (location.hash && screen()) arrive();
  else if (kept.screen && document.getElementById(kept.screen) && kept.screen !== 'after') location.replace(`#${kept.screen}`);
})();
