/* The pages work without this. It keeps the watch's page current, makes the ask heard, and keeps a
   check-in until it was acknowledged: "Got it" is said after the server has stored it, never before. */
(() => {
  'use strict';
  const live = document.getElementById('live');
  const here = document.getElementById('here');
  const got = document.getElementById('got');
  const title = document.title;
  let button = document.getElementById('now')?.dataset.button;
  const mono = () => performance.timeOrigin + performance.now();
  const now = () => document.getElementById('now');
  const store = (key, value) => {
    if (document.documentElement.hasAttribute('data-borrowed')) return null; /* not this phone's own */
    try {
      if (value === undefined) return localStorage.getItem(key);
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch { /* storage refused: the page still works while it is open */ }
    return null;
  };

  /* Leaving fast: this page is gone from what Back shows, and the pages before it lead out again
     when Back comes to them. The browser's own list of visited pages keeps their addresses. */
  const leave = () => location.replace('/out');
  try {
    const came = performance.getEntriesByType('navigation')[0]?.type;
    if (came !== 'back_forward') sessionStorage.removeItem('lamp.left');
    addEventListener('pageshow', (event) => {
      if ((event.persisted || came === 'back_forward') && sessionStorage.getItem('lamp.left')) leave();
    });
  } catch { /* storage refused */ }
  document.getElementById('exit')?.addEventListener('click', (event) => {
    event.preventDefault();
    try { sessionStorage.setItem('lamp.left', '1'); } catch { /* as above */ }
    leave();
  });

  /* What became of a press is said once. */
  if (/[?&]said=/.test(location.search)) {
    try { history.replaceState(null, '', location.pathname + location.hash); } catch { /* as above */ }
  }

  /* The phone's own time zone, so that times are told as on its clock. */
  try {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const field of document.querySelectorAll('[data-tz]')) if (!field.value) field.value = zone || '';
  } catch { /* then it is asked or UTC */ }
  /* A script that came whole takes over from the page's own refresh. */
  const refresh = document.getElementById('refresh');
  const takeOver = () => { if (refresh) { window.stop(); refresh.remove(); } };
  const whole = (begin) => {
    if (document.readyState === 'complete') begin();
    else addEventListener('load', () => setTimeout(begin));
  };
  if (!live) {
    if (refresh) whole(() => {
      takeOver(); /* what somebody has opened is not shut before their eyes */
      setInterval(() => { if (!document.querySelector('main details[open]')) location.reload(); }, refresh.content * 1000);
    });
    return;
  }

  /* --- time ------------------------------------------------------------------------------------ */
  let base = 0, from = 0, rate = 1, next = 0;
  const setClock = (serverNow) => { base = serverNow; from = performance.now(); };
  const serverTime = () => base + (performance.now() - from) * rate;
  const readNow = () => {
    const box = now();
    if (!box) return;
    rate = Number(box.dataset.rate) || 1;
    next = Number(box.dataset.next) || 0;
    const told = Number(box.dataset.now) || Date.now();
    const [was, wall] = (store('lamp.clock') || '').split(' ').map(Number);
    const kept = was ? was + (Date.now() - wall) * rate : 0; /* a page that lay in the phone is older */
    setClock(kept > told + 9000 ? kept : told);
  };
  const inWords = (span, words) => {
    const s = Math.max(0, Math.round(span / 1000));
    if (s === 1) return words.second;
    return s <= 90 ? words.seconds.replace('#', s) : words.minutes.replace('#', Math.round(s / 60));
  };
  const draw = () => {
    for (const span of live.querySelectorAll('[data-until]')) {
      const left = span.dataset.until - serverTime();
      span.textContent = left < 500 && span.dataset.none || span.dataset.pattern.replace('#', inWords(left, span.dataset));
    }
    for (const ring of live.querySelectorAll('[data-ring]')) {
      const [since, until] = ring.dataset.ring.split(' ').map(Number);
      const left = Math.min(1, Math.max(0, (until - serverTime()) / Math.max(1, until - since)));
      ring.setAttribute('stroke-dashoffset', Math.round(left * 100) - 100);
    }
  };

  /* --- the page as it changes ------------------------------------------------------------------ */
  let pressed = false, failures = 0;
  addEventListener('pointerdown', () => { pressed = true; wakeSound(); });
  for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => setTimeout(() => { pressed = false; }, 300));

  const ask = async (url, options = {}) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 8000);
    try {
      return await fetch(url, { cache: 'no-store', credentials: 'same-origin', signal: stop.signal, ...options });
    } finally { clearTimeout(timer); }
  };
  const busy = () => pressed || /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName || '') && live.contains(document.activeElement);
  const change = async () => {
    if (busy()) { setTimeout(() => change().catch(() => {}), 400); return; }
    const answer = await ask(live.dataset.part);
    if (!answer.ok) { if (answer.status < 500) location.reload(); return; }
    const html = await answer.text();
    if (busy()) { setTimeout(() => change().catch(() => {}), 400); return; }
    const open = [...live.querySelectorAll('details')].map((d) => d.open);
    document.querySelector('main > .note')?.remove(); /* it spoke of the page as it was */
    live.innerHTML = html;
    const [more, old] = document.querySelectorAll('#more'); /* it stands below the button */
    old?.replaceWith(more);
    const words = here?.querySelector('button'), said = now()?.dataset.button;
    if (words && said && said !== button) words.textContent = button = said;
    live.querySelectorAll('details').forEach((d, i) => { d.open = open[i] ?? false; });
    if (here && now()?.dataset.key) here.action = `/k/${now().dataset.key}`;
    readNow();
    draw();
  };
  /* A watch gets another key when somebody is put out. Where this one is now; '' if it is not here. */
  const moved = async (url, began) => {
    const answer = await ask(live.dataset.part);
    if (answer.status >= 500) throw new Error(answer.status);
    const box = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('now');
    if (!began || box?.dataset.began !== began) return '';
    return new URL(url, location).pathname.replace(/^\/k\/[^/]+/, `/k/${box.dataset.key}`);
  };
  const behind = (is) => {
    const note = live.querySelector('[data-behind]');
    if (!note || note.hidden === !is) return;
    note.hidden = !is;
    note.textContent = is ? note.dataset.behind : '';
  };
  const plain = (v) => v?.replace('!', ''); /* whether nobody is watching is said apart */
  /* What the server says of this page; true if it goes elsewhere. */
  const heard = async (said) => {
    failures = 0;
    setClock(said.now);
    next = said.next_ask_at || 0;
    store('lamp.clock', `${said.now} ${Date.now()}`);
    if ('open' in said && said.open !== !!here) { store('lamp.kept', null); location.assign(live.dataset.home || '/watch'); return true; }
    ringing(said.state === 'asking' ? said.ask : 0);
    if (plain(said.v) !== plain(now()?.dataset.v)) await change();
    behind(said.behind);
    return false;
  };
  let polls = 0, polled = 0;
  const poll = async () => {
    let wait = here ? 2000 : 3000;
    clearTimeout(polls);
    polled = performance.now();
    try {
      const answer = await ask(live.dataset.poll, { headers: { Accept: 'application/json' } });
      if (answer.status === 404) { location.reload(); return; }
      if (!answer.ok) throw new Error(answer.status);
      if (await heard(await answer.json())) return;
      if (asked > 0) wait = 1000;
      listen();
    } catch {
      failures += 1;
      hangUp();
      /* Nobody can ask now but this page. What is pressed is kept, and counts from when it was. */
      if (here && failures > 1 && !kept.length && next && serverTime() >= next) ringing(-1);
    }
    offline(failures > 1);
    clearTimeout(polls);
    if (!told) polls = setTimeout(poll, wait);
  };

  /* --- told as it changes: a connection that stays open. While none comes through, the page asks -- */
  let line = null, told = false, hangUp = () => {}, again = 0, patience = 5000;
  const listen = () => {
    if (line || !live.dataset.told || !window.EventSource || performance.now() < again) return;
    line = true;
    /* A browser has six connections to us, and a press needs one: at most three pages take one. */
    const place = (no) => navigator.locks.request(`lamp.${no}`, { ifAvailable: true }, (lock) => {
      if (lock) return new Promise(follow);
      if (no < 2) place(no + 1);
      else later();
      return undefined;
    });
    if (navigator.locks) place(0).catch(later);
    else if (document.visibilityState === 'visible') follow(() => {});
    else line = null;
  };
  const later = () => {
    line = null;
    again = performance.now() + patience * (1 + Math.random());
    patience = Math.min(patience * 2, 300000);
  };
  const follow = (free) => {
    const source = line = new EventSource(live.dataset.told);
    let silence = 0;
    const alive = (ms) => { clearTimeout(silence); silence = setTimeout(lost, ms); };
    hangUp = () => {
      hangUp = () => {};
      clearTimeout(silence);
      source.close();
      told = false;
      later();
      free();
    };
    const lost = () => { if (line === source) { hangUp(); poll(); } };
    alive(5000);
    source.onmessage = (event) => {
      if (navigator.onLine === false) { lost(); return; } /* it came before the network went */
      told = true;
      patience = 5000;
      clearTimeout(polls);
      alive(40000);
      heard(JSON.parse(event.data)).then(() => offline(false)).catch(lost);
    };
    source.addEventListener('beat', () => alive(40000));
    source.addEventListener('behind', (event) => { alive(40000); behind(event.data === '1'); });
    source.addEventListener('gone', () => location.reload());
    source.addEventListener('back', (event) => {
      const wait = Number(event.data);
      hangUp();
      setTimeout(() => { again = 0; listen(); }, wait);
      polls = setTimeout(poll, wait + 8000);
    });
    source.onerror = lost;
  };
  /* A line may die without a word: asked when an ask is due and none came, and when this is looked at. */
  const doubt = () => { if (told && performance.now() - polled > 5000) poll(); };
  addEventListener('offline', () => { if (line) { hangUp(); poll(); } });
  const offline = (lost) => {
    live.classList.toggle('lost', lost);
    if (!got) return;
    const text = document.getElementById('sms');
    if (text) text.hidden = !lost;
    if (lost && (!saying || saying === 'mute')) say('lost');
    else if (!lost && saying === 'lost') say('');
  };
  /* What is said is remembered by its name: a browser that translates changes the words. */
  let fading = 0, saying = '';
  const say = (what, ms = 0, words = got?.dataset[what] || '') => {
    if (!got) return;
    clearTimeout(fading);
    saying = words && what;
    got.textContent = words;
    if (ms) fading = setTimeout(() => say(''), ms);
  };

  /* --- check-ins: kept until acknowledged ------------------------------------------------------- */
  let kept = [], sending = false;
  const nextSeq = () => {
    const last = Math.max(Number(store('lamp.seq')) || 0, Number(now()?.dataset.seq) || 0) + 1;
    store('lamp.seq', String(last));
    return last;
  };
  const save = () => store('lamp.kept', kept.length ? JSON.stringify(kept) : null);
  /* Two clocks: one stands still in sleep, the other can be set. The server takes the larger that can be. */
  const ages = (item) => [Date.now() - item.wall, mono() - item.mono].map((ms) => Math.round(Math.max(0, ms) * rate));
  const checkIn = () => {
    kept.push({ url: here.action, began: now()?.dataset.began, seq: nextSeq(), wall: Date.now(), mono: mono() });
    kept = kept.slice(-5);
    save();
    if (asked < 0) ringing(0);
    flush(500);
  };
  const flush = async (wait) => {
    if (sending || !kept.length) return;
    sending = true;
    const item = kept[kept.length - 1];
    let done = false;
    try {
      const answer = await ask(item.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: JSON.stringify({ seq: item.seq, age_ms: Math.max(...ages(item)), least_ms: Math.min(...ages(item)) }),
      });
      done = answer.ok || [400, 404, 410, 413].includes(answer.status);
      const there = [404, 429].includes(answer.status) && await moved(item.url, item.began);
      if (there) {
        done = false;
        for (const other of kept) if (other.began === item.began) other.url = there;
        save();
      } else if (answer.ok) {
        const alarmed = ['alarm', 'claimed', 'attended'].includes((await answer.json()).state);
        say(alarmed ? 'open' : 'got', 4000);
      } else if (done) { kept = []; save(); location.assign(item.url); return; }
    } catch { /* no way through: try again */ }
    sending = false;
    if (done) {
      kept = kept.filter((other) => other.seq > item.seq);
      save();
      ringing(0);
      change().catch(() => {});
      if (kept.length) flush(500);
    } else {
      say('wait');
      setTimeout(() => flush(Math.min(wait * 2, 8000)), wait);
    }
  };
  here?.addEventListener('submit', (event) => { event.preventDefault(); checkIn(); });
  /* Help, mark and more time go on trying too, while the page is open. */
  live.addEventListener('submit', (event) => {
    const form = event.target;
    if (!form.matches('[data-live]')) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    const began = now()?.dataset.began;
    let url = form.action;
    /* A cry that does not get through: whom to call. */
    const unheard = () => {
      const note = document.getElementById('unheard');
      if (note && note.nextElementSibling?.getAttribute('role') !== 'alert') note.after(note.content.cloneNode(true));
    };
    const late = form.querySelector('.help') ? setTimeout(unheard, 2000) : 0;
    const send = async (wait) => {
      try {
        const answer = await ask(url, { method: 'POST', headers: { Accept: 'application/json' }, body });
        const there = answer.status === 404 && await moved(url, began);
        if (there) url = there;
        else if (answer.status < 500) {
          const said = await answer.json();
          clearTimeout(late);
          say(answer.ok ? 'got' : 'said', 4000, said.says || undefined);
          await change();
          return;
        }
      } catch { /* try again below */ }
      if (late) unheard();
      say('wait');
      setTimeout(() => send(Math.min(wait * 2, 8000)), wait);
    };
    send(500);
  });

  /* --- the ask, heard ---------------------------------------------------------------------------- */
  let sound = null, asked = 0, since = 0, beat = 0, flash = false;
  const wakeSound = () => {
    if (!here) return;
    try {
      sound ??= new (window.AudioContext || window.webkitAudioContext)();
      sound.resume().then(() => { if (saying === 'mute') say(''); });
    } catch { /* a phone without sound */ }
  };
  const tone = (at, pitch, loud) => {
    const wave = sound.createOscillator(), gain = sound.createGain();
    wave.type = loud > 0.6 ? 'square' : 'sine';
    wave.frequency.value = pitch;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(loud, at + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.45);
    wave.connect(gain).connect(sound.destination);
    wave.start(at);
    wave.stop(at + 0.5);
  };
  const chime = () => {
    const loud = Math.min(1, 0.08 + (performance.now() - since) / 20000);
    if (sound?.state === 'running') { tone(sound.currentTime, 660, loud); tone(sound.currentTime + 0.3, 880, loud); }
    if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.(loud > 0.5 ? [400, 100, 400, 100, 400] : [200, 100, 200]);
    flash = !flash;
    document.title = flash && now()?.dataset.title || title;
  };
  const ringing = (no) => {
    if (no === asked) return;
    asked = no;
    clearInterval(beat);
    document.title = title;
    flash = false;
    if (!no) return;
    if (!kept.length) say(''); /* "Got it" answered the ask before this one */
    since = performance.now();
    chime();
    beat = setInterval(chime, 1500);
    if (document.visibilityState === 'visible') shown(no);
  };
  /* Only a page that is looked at may say that the ask is on the screen. */
  const shown = (no) => {
    ask(`/k/${now().dataset.key}/shown`, { method: 'POST', body: new URLSearchParams({ ask: no }) }).catch(() => {});
  };

  /* --- calling out: in an alarm, if Sam chose it, for whoever hears it through the door -------------- */
  setInterval(() => {
    const words = live.querySelector('[data-aloud]')?.textContent;
    if (!words || window.speechSynthesis?.speaking !== false) return;
    const said = new SpeechSynthesisUtterance(words);
    said.lang = document.documentElement.lang;
    speechSynthesis.speak(said);
  }, 4000);

  /* --- starting: only over a line that works, and with the battery told ------------------------------ */
  const online = async () => {
    try { return (await ask('/healthz')).status > 0; } catch { return false; }
  };
  const tellLine = async () => {
    const start = live.querySelector('.start');
    if (!start) return false;
    const good = await online(), says = [good ? start.dataset.on : start.dataset.off];
    try {
      const { level, charging } = await navigator.getBattery();
      says.push(start.dataset.battery.replace('#', `${Math.round(level * 100)} %`));
      if (level < 0.2 && !charging) says.push(start.dataset.low);
    } catch { /* not every browser tells */ }
    const line = document.getElementById('line');
    if (line) { line.textContent = says.join(' '); line.classList.toggle('trouble', !good); }
    return good;
  };
  live.addEventListener('submit', async (event) => {
    const form = event.target;
    if (!form.matches('.start')) return;
    event.preventDefault();
    wakeSound();
    if (await tellLine()) form.submit();
  });
  addEventListener('online', tellLine);
  addEventListener('offline', tellLine);

  /* --- staying awake ------------------------------------------------------------------------------ */
  const wake = () => {
    if (here && document.visibilityState === 'visible') navigator.wakeLock?.request('screen').catch(() => {});
  };
  document.addEventListener('visibilitychange', () => {
    wake();
    if (document.visibilityState !== 'visible') { if (!navigator.locks && told) { hangUp(); poll(); } return; }
    doubt();
    if (asked) shown(asked);
  });

  readNow();
  draw();
  wake();
  setInterval(() => {
    draw();
    if (next && !asked && serverTime() >= next + 1500 * rate) doubt();
  }, 1000);
  whole(() => {
    takeOver();
    tellLine();
    if (now()) {
      if (here) {
        wakeSound();
        if (sound && sound.state !== 'running') say('mute');
        if (!kept.length) try { kept = JSON.parse(store('lamp.kept') || '[]').filter((item) => item.url === here.action || item.began && item.began === now().dataset.began); } catch { kept = []; }
        save();
        flush(500);
        addEventListener('online', () => flush(500));
      }
      const box = now().dataset;
      ringing(box.state === 'asking' ? Number(box.ask) : 0);
      setTimeout(poll, 1000);
    }
  });
})();
