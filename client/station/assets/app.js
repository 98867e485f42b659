// SPDX-License-Identifier: EUPL-1.2
// What a page does beyond forms and links. Without it everything still works; with it the answer comes without leaving the page, the
// list is live, and what is personal goes when nobody looks. templates/README.md names the hooks.

// The one place where text becomes elements: fragments that this station rendered.
const policy = globalThis.trustedTypes?.createPolicy('waarborg', { createHTML: (html) => html });
const parse = (html) => {
  const template = document.createElement('template');
  template.innerHTML = policy ? policy.createHTML(html) : html;
  return template.content;
};
const body = document.body;
const signIn = () => { dark(); location.replace('/sign-in?ended=1'); };

// ---- Fragments: the answer of a form takes the place of what its target names.

const put = (target, content) => {
  const first = content.firstElementChild;
  const same = first && first.id && first.id === target.id;
  const parent = target;
  const inside = target.contains(document.activeElement);
  if (same) { target.replaceWith(content); } else { target.replaceChildren(content); }
  const now = same ? document.getElementById(first.id) : parent;
  settle(now ?? parent);
  // The keyboard stays where it was: in the answer.
  if (inside && !document.body.contains(document.activeElement) || document.activeElement === document.body) (now ?? parent).closest('[data-keys]')?.focus();
  return now;
};

// A question gives way to the next one. What records something is never broken off; the next such waits for it.
let asking = null, recording = Promise.resolve();
const ask = async (form, button) => {
  const check = form.classList.contains('check');
  const field = check ? form.querySelector('[data-autofocus]') : null;
  const typed = field?.value;
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) fields.append(name, value);
  if (button?.name) fields.append(button.name, button.value);
  if (asking?.check) asking.abort('replaced');
  const mine = asking = Object.assign(new AbortController(), { check });
  form.setAttribute('aria-busy', 'true');
  if (check) clearAnswer(); else await recording;
  const late = setTimeout(() => mine.abort('late'), 8000);
  try {
    const answer = await fetch(form.getAttribute('action'), { method: 'POST', body: fields, signal: mine.signal, headers: { 'X-Waarborg-Fragment': '1' } });
    if (answer.status === 401) return signIn();
    if (answer.redirected) { location.assign(answer.url); return; }
    const html = await answer.text();
    if (mine !== asking) return;
    if (!answer.ok) throw new Error(String(answer.status));
    const content = parse(html);
    // Ready for the next visitor: what was typed is no longer of use. What was typed since is.
    if (field && field.value === typed && !content.querySelector('[data-typed-wrong]')) field.value = '';
    put(document.querySelector(form.dataset.target), content);
  } catch (error) {
    if (mine === asking) cannotCheck(document.querySelector(form.dataset.target));
  } finally {
    clearTimeout(late);
    form.removeAttribute('aria-busy');
  }
};
const submit = (form, button) => {
  if (!document.querySelector(form.dataset.target)) return form.submit();
  const asked = ask(form, button);
  if (!form.classList.contains('check')) recording = asked;
};

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.fragment === undefined || event.defaultPrevented) return;
  event.preventDefault();
  submit(form, event.submitter);
});

const clearAnswer = () => { document.getElementById('answer')?.replaceChildren(); };
// The station itself does not answer: the page has the words for that with it.
const cannotCheck = (target) => {
  offline(true);
  const spare = document.querySelector('template[data-cannot-check]');
  const place = document.getElementById('answer') ?? target;
  if (spare && place) { place.replaceChildren(spare.content.cloneNode(true)); settle(place); }
};

// ---- The photo: so many seconds, veiled when the window is left, then gone.

const gone = (figure) => {
  const image = figure.querySelector('img');
  if (image) { image.removeAttribute('src'); image.remove(); }
  figure.classList.add('is-gone');
  figure.removeAttribute('data-photo');
  clearTimeout(figure.timer);
  figure.querySelector('[data-photo-hide]')?.remove();
  figure.querySelector('[data-photo-left]')?.remove();
};
const show = (figure) => {
  const seconds = Number(figure.dataset.seconds) || 30;
  figure.timer = setTimeout(() => gone(figure), seconds * 1000);
  figure.querySelector('[data-photo-hide]')?.addEventListener('click', () => gone(figure));
};
const photos = () => document.querySelectorAll('[data-photo]');

// ---- Hiding: with one key, and by itself when the window is left.

const veil = (on) => body.classList.toggle('is-veiled', on);
const dark = () => {
  photos().forEach(gone);
  document.querySelectorAll('main, [data-live], .bar__person').forEach((e) => e.replaceChildren());
};
addEventListener('blur', () => veil(true));
addEventListener('focus', () => veil(false));
document.addEventListener('visibilitychange', () => veil(document.hidden));
addEventListener('pagehide', () => photos().forEach(gone));
// A page that comes back from the browser's memory is not the page as it is now.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
document.addEventListener('click', (event) => {
  if (event.target.closest?.('[data-hide]')) {
    const hidden = body.classList.toggle('is-hidden');
    if (hidden) photos().forEach(gone);
  }
});

// ---- Keys.

const typing = (element) => element?.matches?.('input:not([type=radio]):not([type=checkbox]), textarea, select');
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  for (const element of document.querySelectorAll('[data-key]')) {
    if (element.dataset.key.toLowerCase() !== event.key.toLowerCase()) continue;
    if (event.key.length === 1 || event.key.startsWith('Arrow')) {
      const near = element.closest('[data-keys]');
      if (typing(document.activeElement) || (near && !near.contains(document.activeElement))) continue;
    }
    event.preventDefault();
    if (typing(element)) { element.focus(); element.select?.(); } else { element.click(); }
    return;
  }
});

// ---- Files: one that is too large is not sent at all.

document.addEventListener('change', (event) => {
  const field = event.target;
  if (field.type !== 'file' || !field.dataset.maxBytes) return;
  const large = [...field.files].some((file) => file.size > Number(field.dataset.maxBytes));
  field.setCustomValidity(large ? field.dataset.tooLarge : '');
  if (large) field.reportValidity();
});

// ---- What a piece of page needs once it stands.

const settle = (where) => {
  where.querySelectorAll?.('[data-photo]').forEach(show);
  if (where.matches?.('[data-photo]')) show(where);
  where.querySelectorAll?.('form[data-crop]').forEach((form) => import('./crop.js').then((crop) => crop.begin(form)));
  if (globalThis.PublicKeyCredential) {
    where.querySelectorAll?.('[data-webauthn], [data-webauthn-new]').forEach((form) => import('./webauthn.js').then((keys) => keys.begin(form, parse)));
  }
  // Whoever is typing goes on typing: a letter must not become the key of something else.
  if (typing(document.activeElement) && document.activeElement.value) return;
  const banned = where.querySelector?.('.answer--banned[data-keys]');
  if (banned) banned.focus(); else where.querySelector?.('[data-autofocus]')?.focus();
};

// ---- Live.

const offline = (is) => {
  body.classList.toggle('is-offline', is);
  document.querySelectorAll('[data-offline]').forEach((e) => { e.hidden = !is; });
  if (is) document.querySelectorAll('[data-live="list"]').forEach((e) => e.replaceChildren());
};
let source = null;
const listen = () => {
  if (source || document.hidden || !document.querySelector('[data-live="list"]')) return;
  source = new EventSource('/live');
  source.addEventListener('state', (event) => offline(event.data !== 'ok'));
  source.addEventListener('list', (event) => {
    document.querySelectorAll('[data-live="list"]').forEach((e) => {
      // Who is on the list with the keyboard stays where they are.
      const at = e.contains(document.activeElement) ? document.activeElement.value : null;
      e.replaceChildren(parse(event.data));
      if (at) [...e.querySelectorAll('button')].find((b) => b.value === at)?.focus();
    });
  });
  source.addEventListener('ended', signIn);
  source.onerror = () => {
    offline(true);
    // Refused, not broken off: nobody is signed in any more.
    if (source?.readyState === EventSource.CLOSED) { hush(); fetch('/awake', { method: 'POST', body: new URLSearchParams(), headers: { 'X-Waarborg-Fragment': '1' } }).then((a) => { if (a.status === 401) signIn(); else setTimeout(listen, 2000); }).catch(() => setTimeout(listen, 2000)); }
  };
};
const hush = () => { source?.close(); source = null; };
// Six connections an origin: a tab that nobody sees takes none, after a moment.
let leaving = 0;
document.addEventListener('visibilitychange', () => {
  clearTimeout(leaving);
  if (document.hidden) leaving = setTimeout(hush, 10000); else listen();
});

// ---- The session: typing is use; without use it ends, and the page with it.

const idle = Number(body.dataset.idle) || 0;
if (idle) {
  let used = Date.now(), told = Date.now();
  const use = () => {
    used = Date.now();
    if (used - told > 60000) {
      told = used;
      fetch('/awake', { method: 'POST', body: new URLSearchParams(), headers: { 'X-Waarborg-Fragment': '1' } }).then((a) => { if (a.status === 401) signIn(); }).catch(() => {});
    }
  };
  addEventListener('keydown', use);
  addEventListener('pointerdown', use);
  setInterval(() => { if (Date.now() - used > idle * 1000) signIn(); }, 1000);
}

settle(document);
document.querySelector('[data-autofocus]')?.focus();
listen();
