/**
 * The script of every page. All of it is a convenience: without it the links and forms do the same.
 */

export const CLIENT = `'use strict';
// Previous and next by key, unless someone is typing.
const KEYS = { j: 'next', ArrowRight: 'next', k: 'prev', ArrowLeft: 'prev' };
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const from = event.target;
  if (from instanceof Element && from.closest('input, select, textarea, [contenteditable]')) {
    if (event.key === 'Escape') from.blur();
    return;
  }
  if (event.key === '/') {
    const search = document.querySelector('input[type=search]');
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    return;
  }
  // A box that scrolls sideways keeps its arrows.
  if (event.key.startsWith('Arrow') && from instanceof Element) {
    const box = from.closest('.scroll, pre');
    if (box && box.scrollWidth > box.clientWidth) return;
  }
  const rel = KEYS[event.key];
  const link = rel && document.querySelector('a[rel=' + rel + ']');
  if (link) {
    event.preventDefault();
    link.click();
  }
});
// A text that scrolls can be reached by keyboard; one that does not is no stop on the way.
const markScrolling = () => {
  for (const text of document.querySelectorAll('pre.text')) {
    if (text.scrollHeight > text.clientHeight + 1 || text.scrollWidth > text.clientWidth + 1) text.tabIndex = 0;
    else text.removeAttribute('tabindex');
  }
};
addEventListener('resize', markScrolling);
document.addEventListener('toggle', markScrolling, true);
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-auto]')) for (const field of form.elements) field.disabled = false;
});
// What is new in the page is wired like what was there.
const listen = () => {
  // A choice takes effect at once.
  for (const form of document.querySelectorAll('form[data-auto]')) {
    form.addEventListener('change', (event) => {
      if (event.target instanceof HTMLSelectElement) form.requestSubmit();
    });
    // Fields that say nothing stay out of the address.
    form.addEventListener('submit', () => {
      for (const field of form.elements) if (field.name && field.value === '') field.disabled = true;
    });
  }
  // The calls behind a row come when they are opened.
  for (const details of document.querySelectorAll('details[data-calls]')) {
    details.addEventListener('toggle', async () => {
      if (!details.open || details.dataset.loaded) return;
      details.dataset.loaded = 'yes';
      const link = details.querySelector('a');
      try {
        const answer = await fetch(link.href);
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const calls = page.getElementById('calls');
        if (!answer.ok || !calls) throw new Error(answer.statusText);
        calls.removeAttribute('id');
        details.append(document.importNode(calls, true));
        markScrolling();
      } catch {
        delete details.dataset.loaded;
      }
    });
  }
  markScrolling();
};
// A page of a build that runs shows what has changed, unless one is at work in it.
const main = document.getElementById('content');
const seconds = Number(main.dataset.refresh);
const isInUse = () => {
  const focus = document.activeElement;
  const within = focus !== main && main.contains(focus);
  return within || main.querySelector('details[open]') || !getSelection().isCollapsed;
};
const follow = async () => {
  try {
    if (!document.hidden) {
      const answer = await fetch(location.href);
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const fresh = page.getElementById('content');
      if (!answer.ok || !fresh) throw new Error(answer.statusText);
      if (!fresh.dataset.refresh) return location.reload();
      if (!isInUse()) {
        main.replaceChildren(...document.importNode(fresh, true).childNodes);
        listen();
      }
    }
  } catch {
    // The viewer may have ended, and may come back.
  }
  setTimeout(follow, 1000 * seconds);
};
listen();
if (seconds > 0) setTimeout(follow, 1000 * seconds);
`;

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0072b2"/><path d="M3 11.5H13M4.5 8H11M6 4.5H9" stroke="#fff" stroke-width="1.6" stroke-linecap="round"/></svg>
`;
