/* A contact's page that is open rings when there is an alarm, until something on it is pressed. */
(() => {
  'use strict';
  const title = document.title;
  let sound = null, since = 0, quiet = '';
  const wake = () => {
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
  const ring = () => {
    const now = document.getElementById('now'), words = now?.dataset.alarm;
    if (!words || quiet === 'pressed') { since = 0; document.title = title; if (!words) quiet = ''; return; }
    since ||= performance.now();
    const loud = Math.min(1, 0.2 + (performance.now() - since) / 15000);
    if (sound?.state === 'running') { tone(sound.currentTime, 660, loud); tone(sound.currentTime + 0.3, 880, loud); }
    if (navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.([400, 100, 400]);
    document.title = document.title === title ? words : title;
  };
  addEventListener('pointerdown', (event) => { wake(); if (since && event.target.closest('main :is(button, a)')) quiet = 'pressed'; });
  wake();
  setInterval(ring, 1500);
})();
