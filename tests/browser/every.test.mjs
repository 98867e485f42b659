// SPDX-License-Identifier: EUPL-1.2
// Every page, every role: whoever signs in follows every link that the pages offer, and each page is right, in both languages, by
// keyboard, and without script. What a role may not see is in a table here, and is tried on every address that anybody was offered.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Browser } from './pages.mjs';
import { root, stopAll, Town } from './town.mjs';

// The people concerned, by surname, with what is typed of them.
const kConcerned = ['Kwartel', 'Wulp', 'Tapuit', 'Bijeneter', 'Specht', 'Grutto', 'Heggenmus', 'Vries'];
const kGiven = ['Jan Pieter', 'Karel Johan', 'Wilma', 'Thea', 'Bernard', 'Sita', 'Govert', 'Hilde'];
const kDeskKnows = { 'receptie-1': ['Kwartel', 'Tapuit', 'Bijeneter', 'Vries'], 'sporthal-1': ['Kwartel', 'Specht', 'Vries'], 'zwembad-1': ['Wulp'] };
const kTyped = {
  reasons: 'Sloeg een baliemedewerker op de arm.', channels: 'telefoon, post, afspraak via T&V', advice: 'Drie maanden is passend.',
  answers: ['Wisselend personeel aan de balie.', 'Een collega raakte gewond.', 'In het STOP-gesprek.'],
  stranger: 'Vrouw, groene jas, kort grijs haar', alert: 'Man met gele pet en zwarte rugzak', followed: 'Volgde een medewerker naar huis.',
  demand: 'Ik vorder u het gebouw te verlaten.', proposed: 'Nico Nachtegaal',
};

// Who never sees the name of a person concerned, whatever the page; and which desk knows whom.
const kNamesNobody = new Set(['administrator', 'auditor', 'data-protection-officer', 'hr']);
// Where a role finds a photo: what it sends, and where. All others find none there.
const kPhotos = { 'desk-staff': ['/desk/photo'], 'civil-affairs': ['/files/BAN/preview'], 'police-contact': ['/files/BAN/view'] };

// A role stands for its pages; of a second person of the same role only what differs is looked at again.
const kPeople = [
  ...fs.readFileSync(path.join(root, 'deploy/example/people.tsv'), 'utf8').split('\n').filter((l) => l && !l.startsWith('#')).map((l) => l.split('\t'))
    .map(([login, name, roles, , locations]) => ({ login, name, roles: roles.split(','), station: { gemeentehuis: 'receptie-1', sporthal: 'sporthal-1', zwembad: 'zwembad-1' }[locations] ?? 'kantoor-1' })),
  { login: 'privacy', name: 'Pia Parkiet', roles: ['privacy-officer'], station: 'kantoor-1' },
  { login: 'beheer', name: 'Bas Bosuil', roles: ['administrator'], station: 'kantoor-1' },
];
const hiddenFrom = (p) => {
  if (p.roles.some((r) => kNamesNobody.has(r))) return kConcerned;
  const known = kDeskKnows[p.station];
  return known && p.roles.includes('desk-staff') ? kConcerned.filter((n) => !known.includes(n)) : [];
};

// What the municipality wrote itself: it stays Dutch on an English page, and its ids stand on no page.
const kConfig = fs.readFileSync(path.join(root, 'deploy/example/municipality.toml'), 'utf8').replace(/^\s*#.*$/mg, '');
const kMunicipal = [...kConfig.matchAll(/"""\n?([\s\S]*?)"""|"([^"\n]*)"/g)].map((m) => m[1] ?? m[2]).flatMap((s) => s.split('\n')).filter((s) => s.length > 3);
const kIds = [...kConfig.matchAll(/^id = "([a-z0-9]+(?:-[a-z0-9]+)+)"/mg)].map((m) => m[1]).concat(['access-ban', 'time-out-', 'awb-decision', 'stop-talk',
  'municipal-secretary', 'desk-staff', 'civil-affairs', 'board-secretariat', 'police-contact', 'security-coordinator', 'data-protection-officer', 'all-municipal', 'incident-location']);
// A template, a number or a name of the code's own where a word belongs.
const kOdd = /\{\{|\}\}|.{0,20}\b[A-Z]{2,}_[A-Z_]{2,}\b|\bunspecified\b|\bundefined\b|\bnull\b|\bNaN\b|\[object|.{0,20}\b(?!WebAuthn)[A-Z][a-z]+(?:[A-Z][a-z]+)+\b.{0,20}/;
const kDutch = /\b(bezoekers?|dossiers?|toestemming|aanmelden|afmelden|betrokkenen?|verbod|verboden|maatregel|vastleggen|taak|wie|mag|wat|het|een|niet|geen|wordt|worden|voor|met|deze|kopie|foto|leidinggevende|beheerder|werkplek|mensen|wijzigingen|instellingen|onbekend|januari|februari|maart|mei|juni|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|tot en met)\b/i;

let town, browser, stations, bans;
const offered = new Map();   // shape of an address: one that somebody was offered
const looked = new Set();    // pages that were looked at by axe and by keyboard

async function story() {
  const office = (login, ...words) => town.run(login, 'kantoor-1', ...words);
  const somebody = async (given, prefix, surname, born, ground, where, from, last) => (await office('teamleider', 'ban', 'propose', '--given', given, ...(prefix ? ['--prefix', prefix] : []), '--surname', surname, '--born', born,
    '--established', '--ground', ground, '--measure', ground === 'verbaal' ? 'time-out' : 'access-ban', '--where', where, '--from', from, '--until', last, '--reasons', kTyped.reasons, '--department', 'publiekszaken', '--channels', kTyped.channels)).receipt.id;
  const advised = (ban) => office('secretaris', 'ban', 'advise', '--ban', ban, '--advice', kTyped.advice);
  const decided = async (ban, day) => { await advised(ban); await office('collegesecretariaat', 'ban', 'approve', '--ban', ban, '--number', '2026-201', '--date', day); };
  const requested = async (ban, day) => { await decided(ban, day); await office('teamleider', 'photo', 'inform', '--ban', ban, '--how', 'stop-talk', '--on', day); await office('toezicht', 'photo', 'request', '--ban', ban); };
  const consented = async (ban, day) => {
    await requested(ban, day);
    const answers = ['noodzaak', 'evenredig', 'geinformeerd'].flatMap((c, i) => ['--answer', `${c}|yes|${kTyped.answers[i]}`]);
    await office('teamleider-sport', 'photo', 'consent', '--ban', ban, '--basis', 'avg-6-1-e', ...answers);
  };
  const supplied = async (ban, day, face) => {
    await consented(ban, day);
    await office('burgerzaken', 'photo', 'supply', '--ban', ban, '--file', town.portrait(face), '--source', 'reisdocument', '--basis', 'avg-6-1-e', '--basis-checked', '--person-checked', '--photo-checked');
  };
  const released = async (ban, day, face) => { await supplied(ban, day, face); await office('toezicht', 'photo', 'release', '--ban', ban, '--to', 'receptie,sporthal,politie'); };
  const of = {};
  // One that is over, and whose copies are to be confirmed.
  let day = '2026-03-02';
  of.ended = await somebody('Jan Pieter', 'de', 'Vries', '1985-03-12', 'fysiek-medewerker', 'gemeentehuis,sporthal', day, '2026-06-01');
  await released(of.ended, day, 3);
  for (const [login, station] of [['receptie', 'receptie-1'], ['sporthal', 'sporthal-1'], ['politie', 'kantoor-1']]) await town.run(login, station, 'instruction', 'acknowledge');
  await town.run('receptie', 'receptie-1', 'photo', 'show', '--ban', of.ended, '--out', path.join(town.folder, 'seen.jpg'));
  await town.run('receptie', 'receptie-1', 'report', '--ban', of.ended, '--demand', `2026-03-02T09:00|${kTyped.demand}`, '--police', '--outcome', 'removed');
  town.clock('2026-06-02T09:00');
  day = '2026-06-02';
  const last = '2026-09-01';
  of.released = await somebody('Karel Johan', '', 'Kwartel', '1979-08-14', 'fysiek-medewerker', 'gemeentehuis,sporthal', day, last);
  await released(of.released, day, 5);
  of.timeOut = await somebody('Wilma', 'van', 'Wulp', '1991-02-03', 'verbaal', 'zwembad', day, last);
  await office('secretaris', 'ban', 'approve', '--ban', of.timeOut);
  of.requested = await somebody('Thea', '', 'Tapuit', '1985-11-30', 'bedreiging-medewerker', 'gemeentehuis', day, last);
  await requested(of.requested, day);
  of.consented = await somebody('Bernard', 'den', 'Bijeneter', '1966-05-09', 'fysiek-derden', 'gemeentehuis', day, last);
  await consented(of.consented, day);
  of.supplied = await somebody('Sita', '', 'Specht', '1994-07-21', 'bedreiging-derden', 'sporthal', day, last);
  await supplied(of.supplied, day, 7);
  of.proposed = await somebody('Govert', '', 'Grutto', '1958-01-17', 'ernstig-geweld', 'gemeentehuis', day, '2026-12-01');
  of.advised = await somebody('Hilde', '', 'Heggenmus', '1972-10-05', 'fysiek-medewerker', 'gemeentehuis', day, last);
  await advised(of.advised);
  of.denied = (await town.run('receptie', 'receptie-1', 'ban', 'deny', '--description', kTyped.stranger)).receipt?.id;
  await office('toezicht', 'ban', 'alert', '--description', kTyped.alert, '--where', 'gemeentehuis', '--until', '2026-06-20', '--reasons', kTyped.followed);
  await office('beheer', 'people', 'propose', '--name', 'receptie-3', '--display', kTyped.proposed, '--roles', 'desk-staff', '--units', 'receptie', '--locations', 'gemeentehuis', '--department', 'publiekszaken', '--from', '2026-06-02', '--until', '2026-12-31');
  return of;
}

before(async () => {
  town = await Town.start();
  bans = await story();
  const options = ['--log-key', town.logKey(), '--log-folder', town.logFolder()];
  stations = new Map();
  for (const name of new Set(kPeople.map((p) => p.station))) stations.set(name, await town.station(name, name === 'kantoor-1' ? options : []));
  browser = await Browser.start();
}, { timeout: 180000 });
afterEach(() => browser.leave());
after(() => stopAll(browser, town));

// ---- Walking.

const shapeOf = (where) => where.replace(/\?.*/, (q) => `?${[...new URLSearchParams(q).keys()].filter((k) => !/^(from|until)$/.test(k)).sort().join('&')}`)
  .replace(/\b(LV|W|P|F|C|A|M)-[0-9A-Z]{6,}/g, ':id').replace(/^\/(people|stations)\/(?!new\b)[^/?]+/, '/$1/:id').replace(/^\/log\/entry\/[^/]+\/\d+/, '/log/entry/:id').replace(/^\/log\/(checkpoint|certificate)\/[^/?]+/, '/log/$1/:id');
const nameOf = (login, shape) => `${login}${shape === '/' ? '-start' : shape.replace(/[/?&=:]+/g, '-')}`.replace(/-+$/, '');
// Files differ by their state: all of them; of the rest two are enough.
const enough = (shape) => (shape === '/files/:id' ? 20 : shape.includes('?') ? 1 : 2);

async function signIn(who, login, button) {
  await who.go('/sign-in');
  await who.fill({ login, password: Town.password, code: town.code(login) });
  await who.press(button);
  assert.notEqual(who.url, '/sign-in', await who.text());
}

const addresses = (page) => page.evaluate(() => [...document.querySelectorAll('a[href]')].map((a) => new URL(a.href)).filter((u) => u.origin === location.origin && !u.pathname.startsWith('/assets/')).map((u) => u.pathname + u.search));
// Asks without leaving the page; a POST carries a form.
const ask = (page, where, form) => page.evaluate(async ([path_, fields]) => {
  const answer = await fetch(path_, fields ? { method: 'POST', body: new URLSearchParams(fields) } : {});
  return { status: answer.status, text: await answer.text(), saves: /attachment/.test(answer.headers.get('content-disposition') ?? '') };
}, [where, form]);

// Follows every link that is offered, from the beginning; `look` is called on each page, `loaded` for what is a file to keep.
async function walk(who, look, loaded) {
  const seen = new Map(), queue = [who.url, '/'], done = new Set();
  while (queue.length) {
    const where = queue.shift(), shape = shapeOf(where);
    if (done.has(where) || (seen.get(shape) ?? 0) >= enough(shape)) continue;
    done.add(where);
    seen.set(shape, (seen.get(shape) ?? 0) + 1);
    let response;
    try {
      response = await who.page.goto(who.station.url + where);
    } catch (error) {
      if (!/ERR_ABORTED|Download is starting/.test(error.message)) throw error;
      await loaded(where, await ask(who.page, where));
      continue;
    }
    await look(where, shape, response.status(), seen.get(shape));
    queue.push(...await addresses(who.page));
  }
  return done;
}

// ---- What holds for every page.

// Text as it is read: without what is there to be copied or edited, and on an English page without what is said to be Dutch.
const read = (page) => page.evaluate(() => {
  const copy = document.body.cloneNode(true);
  copy.querySelectorAll('pre, code, textarea, template, script, .source, .diff, .declaration, .code-line, html[lang=en] [lang=nl]').forEach((e) => e.remove());
  copy.querySelectorAll('*').forEach((e) => e.append(' '));
  const said = [...document.body.querySelectorAll('[aria-label], [placeholder], [title], [data-label]')].flatMap((e) => ['aria-label', 'placeholder', 'title', 'data-label'].map((n) => e.getAttribute(n) ?? '')).join(' \n ');
  return `${document.title} \n ${copy.textContent} \n ${said}`.replace(/\s+/g, ' ');
});
const kept = (text) => {
  let rest = text;
  const words = [...kMunicipal, ...kGiven, ...kPeople.map((p) => p.name), ...kPeople.map((p) => p.login), ...Object.values(kTyped).flat()];
  for (const word of words.sort((a, b) => b.length - a.length)) rest = rest.replaceAll(word.replace(/\s+/g, ' '), ' ');
  return rest;
};
// What it looks like, for telling pages apart.
const shapeOfPage = (page) => page.evaluate(() => [...new Set([...document.body.querySelectorAll('*')].map((e) => `${e.tagName}.${e.className.baseVal ?? e.className}.${e.type ?? ''}`))].sort().join(' '));

async function facts(page) {
  return page.evaluate(() => ({ lang: document.documentElement.lang, title: document.title, headings: [...document.querySelectorAll('h1')].map((h) => h.textContent.trim()), photos: document.querySelectorAll('img[src*="/photo/"]').length }));
}

// Tab, from the top: the order of the page, nothing left out, and where the keyboard is shows.
async function keyboard(who, fault) {
  const { page } = who;
  const expected = await page.evaluate(() => {
    const groups = new Set();
    const can = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter((e) => {
      if (e.tabIndex < 0 || e.disabled || e.type === 'hidden' || !e.checkVisibility({ visibilityProperty: true })) return false;
      if (e.type !== 'radio') return true;
      const group = [...document.querySelectorAll(`input[type=radio][name="${CSS.escape(e.name)}"]`)];
      const stop = group.find((r) => r.checked) ?? group[0];
      return e === stop && !groups.has(e.name) && groups.add(e.name);
    });
    const look = (e) => { const s = getComputedStyle(e); return `${s.outlineStyle} ${s.outlineWidth} ${s.outlineColor}|${s.boxShadow}`; };
    globalThis.stops = [];
    // From the top, wherever the page put the keyboard.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
    const plain = new Map(can.map((e) => [e, look(e)]));
    globalThis.onstop = (event) => {
      const e = event.target, box = e.getBoundingClientRect(), shown = look(e), at = can.indexOf(e);
      if (globalThis.stops.at(-1)?.at === at) return;
      globalThis.stops.push({ at, what: e.outerHTML.slice(0, 120), seen: shown !== plain.get(e) && !(/^none|^\S+ 0px/.test(shown) && shown.endsWith('|none')), inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth });
    };
    document.addEventListener('focusin', globalThis.onstop);
    return can.slice(0, 40).map((e) => e.outerHTML.slice(0, 120));
  });
  // A date takes three stops in itself.
  for (let i = 0; i < expected.length * 3; ++i) {
    await page.keyboard.press('Tab');
    if (i + 1 >= expected.length && await page.evaluate((n) => new Set(globalThis.stops.map((s) => s.at)).size >= n || globalThis.stops.at(-1)?.at === n - 1, expected.length)) break;
  }
  const stops = await page.evaluate(() => { document.removeEventListener('focusin', globalThis.onstop); return globalThis.stops; });
  const order = stops.filter((s) => s.at >= 0).slice(0, expected.length).map((s) => s.at);
  expected.forEach((what, i) => { if (order[i] !== i && (i === 0 || order[i - 1] === i - 1)) fault(`the keyboard is at ${stops[i]?.what} where ${what} comes next`); });
  for (const stop of stops.slice(0, expected.length)) {
    if (!stop.seen) fault(`nobody sees that the keyboard is at ${stop.what}`);
    if (!stop.inside) fault(`the keyboard is outside the window at ${stop.what}`);
  }
}

// Every fault at once, a line each.
const none = (faults) => { if (faults.length) assert.fail(faults.join('\n')); };

// ---- The roles.

// The first of each: English and without script the second of a role says nothing new.
const first = (p) => kPeople.find((o) => o.roles.join() === p.roles.join() && o.station === p.station) === p;
const walked = new Map();  // login: the addresses of its pages
const expected = [/the server responded with a status of 4/];  // said on purpose below; of the pages themselves `look` says it

for (const person of kPeople) {
  test(`${person.login}: every page that is offered`, async () => {
    const who = await browser.person(stations.get(person.station), { expected });
    const faults = [], hidden = hiddenFrom(person), pages = [];
    who.page.on('response', (r) => { if (r.request().resourceType() !== 'fetch' && r.request().resourceType() !== 'document' && r.status() >= 400) faults.push(`${r.url()}: ${r.status()}`); });
    await signIn(who, person.login, 'Aanmelden');
    const names = (where, text) => { for (const name of hidden) if (text.includes(name)) faults.push(`${where} shows ${name}`); };
    const done = await walk(who, async (where, shape, status, turn) => {
      const fault = (text) => faults.push(`${where}: ${text}`);
      if (status >= 400) fault(`status ${status}`);
      // Each kind of page once is enough for the other language and without script; files in all their states for who sees most.
      if (turn === 1 || person.login === 'dubbelrol') pages.push(where);
      if (!offered.has(shape)) offered.set(shape, where);
      const { lang, title, headings, photos } = await facts(who.page);
      if (lang !== 'nl') fault(`lang ${lang}`);
      if (headings.length !== 1 || !headings[0]) fault(`headings ${JSON.stringify(headings)}`);
      if (title.length < 5 || [...kConcerned, ...kGiven, ...kPeople.map((p) => p.name)].some((n) => title.includes(n))) fault(`title ${title}`);
      if (photos) fault('a photo that nobody asked for');
      const text = await read(who.page);
      names(where, await who.page.content());
      const odd = kept(text).match(kOdd);
      if (odd) fault(`reads "${odd[0]}"`);
      for (const id of kIds) if (new RegExp(`(?<![\\w-])${id}(?![\\w-])`).test(text)) fault(`shows the id ${id}`);
      const name = nameOf(person.login, shape) + (turn > 1 ? `-${turn}` : '');
      const looks = `${shape.replace(/\?.*/, '')} ${await shapeOfPage(who.page)}`;
      if (looked.has(looks)) { await who.picture(name); return; }
      looked.add(looks);
      await who.check(name).catch((e) => fault(e.message));
      await who.page.setViewportSize({ width: 1280, height: 800 });
      await keyboard(who, fault);
      await who.page.setViewportSize({ width: 320, height: 800 });
      await who.picture(`${name}-narrow`);
      await who.page.setViewportSize({ width: 1280, height: 800 });
    }, async (where, file) => {
      if (file.status !== 200 || !file.saves) faults.push(`${where}: status ${file.status}, ${file.saves ? '' : 'not '}to keep`);
      names(where, file.text);
    });
    assert.ok(done.size >= 3, [...done].join(' '));
    walked.set(person.login, pages);
    // No photo but where the role finds it: whoever asks for it elsewhere gets none.
    const right = person.roles.flatMap((r) => kPhotos[r] ?? []);
    let found = 0;
    for (const ban of [bans.released, bans.supplied]) {
      for (const where of ['/desk/photo', '/files/BAN/view', '/files/BAN/preview']) {
        const { text, status } = await ask(who.page, where.replace('BAN', ban), { ban_id: ban, purpose: 'incident' });
        if (status >= 500) faults.push(`${where}: status ${status}`);
        if (!/<img[^>]*\/photo\//.test(text)) continue;
        found++;
        if (!right.includes(where)) faults.push(`${where} gives a photo`);
      }
    }
    if (['receptie', 'sporthal', 'burgerzaken', 'politie'].includes(person.login)) assert.ok(found > 0, 'this role has a photo to look at');
    none(faults);
  });
}

test('what is offered to one is asked for by all: nobody is shown who is hidden from them', async () => {
  const faults = [];
  for (const person of kPeople.filter((p) => first(p) && hiddenFrom(p).length)) {
    const who = await browser.person(stations.get(person.station), { expected });
    await signIn(who, person.login, 'Aanmelden');
    for (const where of offered.values()) {
      const { status, text } = await ask(who.page, where);
      if (status >= 500) faults.push(`${person.login} ${where}: status ${status}`);
      for (const name of hiddenFrom(person)) if (text.includes(name)) faults.push(`${person.login} sees ${name} on ${where}`);
    }
    await who.leave();
  }
  none(faults);
});

test('in English: every page, and nothing Dutch left but what the municipality wrote', async () => {
  const faults = [];
  for (const person of kPeople.filter(first)) {
    const who = await browser.person(stations.get(person.station), { language: 'en', expected });
    await signIn(who, person.login, 'Sign in');
    for (const where of walked.get(person.login) ?? []) {
      await who.go(where);
      const { lang, headings } = await facts(who.page);
      if (lang !== 'en' || headings.length !== 1) faults.push(`${person.login} ${where}: ${lang}, ${headings.length} headings`);
      const text = kept(await read(who.page)), dutch = text.match(kDutch);
      if (dutch) faults.push(`${person.login} ${where}: ... ${text.slice(Math.max(0, dutch.index - 40), dutch.index + 60)} ...`);
      await who.picture(`english-${nameOf(person.login, shapeOf(where))}`);
    }
    await who.leave();
  }
  none(faults);
});

test('without script: every page is there', async () => {
  const faults = [];
  for (const person of kPeople.filter(first)) {
    const who = await browser.person(stations.get(person.station), { script: false, expected });
    await signIn(who, person.login, 'Aanmelden');
    for (const where of walked.get(person.login) ?? []) {
      await who.go(where);
      if (await who.page.locator('main h1').count() !== 1 || !await who.page.locator('main h1').isVisible()) faults.push(`${person.login} ${where}`);
    }
    await who.leave();
  }
  none(faults);
});
