/* The walk-through works without this. It goes on where it was after the phone was locked, keeps the
   time of the doses, gives the beat, reads aloud, and tells the others what was done, now or later. */
(() => {
  'use strict';
  const walk = document.getElementById('walk');
  if (!walk) return;
  const LASTS_MS = 3 * 3600e3, SECOND_MS = 150e3, ONCE_MS = 60e3;
  const now = () => Date.now();
  /* Without a line the phone shows its own copy at the alarm's address: that goes on with the alarm.
     Each alarm has its own memory, and so has whoever is down in front of us. */
  const [, mine] = location.pathname.match(/^(\/c\/[^/]+)/) || [];
  const where = walk.dataset.did || (mine ? `${mine}/did` : '');
  let of = walk.dataset.of || '';
  const KEEP = `lamp.walk${where}`;
  const anew = () => ({ of, begun: now(), at: 0, screen: '', since: 0, rescue: '', doing: '', deeds: [], voice: true });
  const read = (key) => {
    try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; } /* refused or spoilt */
  };
  const lasts = (old) => now() - old.at < LASTS_MS && Array.isArray(old.deeds) && (!of || !old.of || old.of === of);
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith('lamp.walk') && !(now() - read(key).at < LASTS_MS)) localStorage.removeItem(key);
  } catch { /* storage refused */ }
  let kept = anew();
  const old = read(KEEP);
  if (lasts(old) && (where || old.screen !== 'after')) kept = { ...kept, ...old, of: of || old.of };
  const save = () => {
    const other = read(KEEP); /* another page of ours may have kept more */
    if (other.begun === kept.begun) {
      for (const deed of other.deeds || []) if (!kept.deeds.some((each) => each.id === deed.id)) kept.deeds.push(deed);
    }
    kept.at = now();
    try { localStorage.setItem(KEEP, JSON.stringify(kept)); } catch { /* works while it is open */ }
  };
  /* By the address: after a reload the browser names its target later than this runs. */
  const screen = () => walk.querySelector(`.step[id="${CSS.escape(location.hash.slice(1))}"]`);
  const clock = (at) => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

  const first = walk.querySelector('.step').id;

  /* --- what was done, for the others and for the crew -------------------------------------------- */
  let sending = false;
  const last = (...whats) => kept.deeds.filter((deed) => whats.includes(deed.what)).pop();
  const done = (what, form = '') => {
    save(); /* with what another page has kept */
    const before = last(what, { dose: 'no-dose', 'no-dose': 'dose' }[what] || what);
    if (before?.what === what && now() - before.at < ONCE_MS) return; /* pressed twice */
    kept.deeds.push({ id: `${now()}.${Math.random().toString(36).slice(2, 10)}`, what, form, of, at: now(), sent: !where });
    save();
    send();
  };
  const send = async () => {
    const deed = kept.deeds.find((each) => !each.sent);
    if (!deed || sending) return;
    sending = true;
    try {
      const body = new URLSearchParams({ what: deed.what, form: deed.form, of: deed.of || '', ref: deed.id, age_ms: now() - deed.at });
      const answer = await fetch(where, { method: 'POST', body, headers: { Accept: 'application/json' } });
      deed.sent = answer.status < 500 && answer.status !== 429;
      deed.only = deed.sent && !answer.ok; /* not taken: it stands on this phone's card */
    } catch { /* no way through: it is kept */ }
    sending = false;
    if (deed.sent) { save(); send(); }
  };
  setInterval(send, 5000);
  addEventListener('online', send);

  /* --- the time of the last dose: ours, or what another phone told the server --------------------- */
  let told = 0, heard = '';
  const own = () => { /* ours, without those that were not given after all */
    const doses = [];
    for (const deed of kept.deeds) if (deed.what === 'dose') doses.push(deed); else if (deed.what === 'no-dose') doses.pop();
    return doses;
  };
  const lastDose = () => {
    const box = document.getElementById('now')?.dataset;
    if (box && box.now !== heard) { heard = box.now; told = box.dose ? now() - (box.now - box.dose) : 0; }
    const ours = own().pop()?.at || 0, undone = last('no-dose');
    const theirs = undone && Math.abs(told - undone.undoes) < 20e3 ? 0 : told; /* the server has not heard yet */
    return Math.max(theirs, ours);
  };
  const spell = (ms) => `${Math.floor(ms / 60e3)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`;
  const tick = () => {
    const on = screen(), box = document.getElementById('now')?.dataset;
    if (box?.of && of && box.of !== of) { /* another alarm has begun; whoever is in the steps goes on */
      of = box.of;
      kept = on ? { ...kept, of } : anew();
      save();
    }
    if (!on) return;
    const timer = on.querySelector('.timer'), dose = lastDose(), gives = on.querySelector('.two > [data-give]:first-child');
    let says = '', due = false;
    if ('stay' in on.dataset) says = walk.dataset.stay.replace('#', walk.dataset.minute.replace('#', Math.floor((now() - (kept.since || now())) / 60e3)));
    else if (dose > 0 && now() - dose < 3600e3 && !('well' in on.dataset)) {
      due = now() - dose >= SECOND_MS;
      const soon = on.querySelector('[data-form]') ? walk.dataset.early : walk.dataset.next;
      says = due ? walk.dataset.due : soon.replace('#', spell(SECOND_MS - (now() - dose)));
    }
    gives?.classList.toggle('strong', !dose || due);
    if (box?.over) says = `${box.over} ${says}`.trim();
    const unsent = kept.deeds.some((deed) => !deed.sent) && !navigator.onLine, note = timer.querySelector('[data-unsent]');
    note.hidden = !unsent;
    note.textContent = unsent ? walk.dataset.kept : '';
    const words = timer.querySelector('span');
    if (words.textContent !== says) words.textContent = says;
    timer.hidden = !says && !unsent;
    timer.querySelector('[data-undo]').hidden = !(now() - (own().pop()?.at || 0) < ONCE_MS);
    if (due && !timer.classList.contains('due')) buzz([400, 100, 400]);
    timer.classList.toggle('due', due);
    if (on.querySelector('[data-card]')) card(on);
  };
  /* For the crew: what the others' page tells, and what only this phone knows. */
  const card = (on) => {
    const there = document.querySelector('#now [data-told]'), list = on.querySelector('[data-deeds]');
    const shown = on.querySelector('[data-told]');
    if (there && there.innerHTML !== shown?.innerHTML) {
      if (shown) shown.innerHTML = there.innerHTML;
      else list.before(there.cloneNode(true));
    }
    const lines = kept.deeds.filter((deed) => !where || !deed.sent || deed.only || !there);
    if (list.childElementCount === lines.length) return;
    list.replaceChildren(...lines.map((deed) => {
      const line = document.createElement('li');
      line.textContent = `${clock(deed.at)} ${walk.dataset[`d${deed.what.replace('-d', 'D')}`] || deed.what} ${deed.form}`.trim();
      return line;
    }));
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
    } else if (walk.dataset.sound && navigator.userActivation?.hasBeenActive !== false) { /* a phone is silent before the first touch */
      player.src = walk.dataset.sound.replace('screen', id);
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
  /* Where an answer leads depends on what was done so far. */
  const lead = (on) => {
    const given = own().pop()?.form, again = given && walk.querySelector(`[data-form="${given}"]`)?.closest('.step').id;
    for (const link of on.querySelectorAll('.answers a')) {
      const to = link.dataset.to ??= link.hash.slice(1);
      let next = to;
      if ('back' in link.dataset) next = kept.rescue || (to === 'call' && last('called') ? 'chest' : to);
      else if ('give' in link.dataset) next = again || to;
      else if (link.dataset.dosed && lastDose()) next = link.dataset.dosed;
      link.hash = next;
    }
  };
  const arrive = () => {
    const on = screen();
    count = 0;
    hush();
    if (!on) return;
    kept.screen = on.id;
    if (on.id === first) Object.assign(kept, { rescue: '', doing: '', since: 0 }); /* looked at anew */
    const { does } = on.dataset;
    if (does && does !== kept.doing) done(does);
    if (does) { kept.doing = does; kept.rescue = does === 'breathing' ? '' : on.id; }
    if (!('well' in on.dataset)) kept.since = 0;
    else if (does === 'breathing') kept.since ||= now();
    save();
    lead(on);
    on.scrollTop = 0;
    on.focus({ preventScroll: true });
    speak(on.querySelector('h2').textContent, on.id);
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
      if (!where) { kept = anew(); save(); } /* somebody else is down */
    } else if ('close' in link.dataset) {
      event.preventDefault();
      kept.screen = '';
      save();
      location.hash = 'top';
      hush();
    } else if ('undo' in link.dataset) {
      event.preventDefault();
      const dose = own().pop();
      if (dose) { done('no-dose'); last('no-dose').undoes = dose.at; save(); }
      lead(screen());
      tick();
    } else if (link.dataset.do) {
      done(link.dataset.do, link.dataset.do === 'dose' ? link.dataset.form : '');
      if (link.dataset.do === 'breaths') { kept.rescue = 'breathe'; kept.doing = 'breaths'; }
    }
  });
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-steps]');
    if (!link) return;
    event.preventDefault(); /* they stand in this page, and work without a line */
    location.hash = link.hash;
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
    kept.press = { to: form.action, body: `${new URLSearchParams(new FormData(form))}` };
    save();
    location.hash = form.dataset.walk;
    press(1000);
  });
  /* Kept until it was heard, also when the browser throws the page away. */
  const press = async (wait) => {
    const { to, body } = kept.press || {};
    if (!to) return;
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    try {
      if ((await fetch(to, { method: 'POST', body, headers })).status < 500) { kept.press = null; save(); return; }
    } catch { /* again */ }
    setTimeout(press, wait, Math.min(wait * 2, 15000));
  };
  if (where) press(1000);
  if (!document.documentElement.hasAttribute('data-borrowed')) navigator.serviceWorker?.register('/sw.js').catch(() => {});
  nameVoice();
  const came = performance.getEntriesByType('navigation')[0]?.type;
  if (!where && kept.since && location.hash === `#${first}` && came === 'navigate') { kept = anew(); save(); } /* somebody else is down */
  const stale = 'ended' in walk.dataset && came === 'navigate' && !kept.screen; /* an old link: nobody follows the steps */
  if (stale && location.hash && screen()) location.replace('#');
  else if (location.hash && screen()) arrive();
  else if ('opens' in walk.dataset && !location.hash && !kept.screen) location.replace('#look');
  else if (kept.screen && document.getElementById(kept.screen) && kept.screen !== 'after') location.replace(`#${kept.screen}`);
})();
