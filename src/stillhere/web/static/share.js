/* Sending an invitation from one's own phone: only where the browser can. */
for (const button of document.querySelectorAll('[data-share]')) {
  if (!navigator.share) break;
  button.hidden = false;
  button.addEventListener('click', () => navigator.share({ text: button.dataset.share }).catch(() => {}));
}
