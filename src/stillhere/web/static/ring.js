/* A contact's page that is open rings when there is an alarm, until something on it is pressed: by
   hand or by keyboard, and once for each alarm, however often the page is loaded again. */
(() => {
  'use strict';
  const title = document.title;
  let sound = null, since = 0, quiet = '', flash = false;
  try { quiet = sessionStorage.getItem('lamp.quiet') || ''; } catch { /* then it is known until the page goes */ }
  /* A browser lets a page sound once something in this tab was pressed, and complains before. */
  const wake = () => {
    try { sessionStorage.setItem('lamp.pressed', '1'); } catch { /* then a page loaded again waits for a press */ }
    try { sound ??= new (window.AudioContext || window.webkitAudioContext)(); sound.resume(); } catch { /* no sound here */ }
  };
  const tone = (at, pitch, loud) => {
    const wave = sound.createOscillator(), gain = sound.createGain();
    wave.frequency.value = pitch;
    wave.type = loud > 0.6 ? 'square' : 'sine';
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(loud, at + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.45);
    wave.connect(gain).connect(sound.destination);
    wave.start(at);
    wave.stop(at + 0.5);
  };
  const alarm = () => document.getElementById('now')?.dataset;
  const ring = () => {
    const { alarm: words, of } = alarm() || {};
    if (!words || quiet === of) { since = 0; flash = false; document.title = title; return; }
    since ||= performance.now();
    const loud = Math.min(1, 0.2 + (performance.now() - since) / 15000);
    if (sound?.state === 'running') { tone(sound.currentTime, 660, loud); tone(sound.currentTime + 0.3, 880, loud); }
    if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.([400, 100, 400]);
    flash = !flash;
    document.title = flash ? words : title;
  };
  addEventListener('pointerdown', wake);
  addEventListener('keydown', wake);
  addEventListener('click', (event) => {
    const now = alarm();
    if (!now?.alarm || !event.target.closest('main :is(button, a, summary)')) return;
    quiet = now.of;
    try { sessionStorage.setItem('lamp.quiet', quiet); } catch { /* as above */ }
    ring();
  }, true);
  try { if (sessionStorage.getItem('lamp.pressed')) wake(); } catch { /* as above */ }
  setInterval(ring, 1500);
})();
