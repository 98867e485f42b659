// SPDX-License-Identifier: EUPL-1.2
// The desk: what reception sees, within a second, and what nobody else sees.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Browser } from './pages.mjs';
import { sleep, stopAll, Town, until } from './town.mjs';

let town, browser, reception, hall, ban;

before(async () => {
  town = await Town.start();
  ban = await town.bannedWithPhoto();
  await town.run('receptie', 'receptie-1', 'instruction', 'acknowledge');
  reception = await town.station('receptie-1');
  hall = await town.station('sporthal-1');
  browser = await Browser.start();
}, { timeout: 120000 });
afterEach(() => browser.leave());
after(() => stopAll(browser, town));

const check = async (who, visitor) => {
  await who.page.locator('#visitor').fill(visitor);
  await who.page.locator('#visitor').press('Enter');
};
// The answer, as far as it says this.
const answered = (who, text) => who.see(text, 8000, '#answer');
// Holds what the page sends there next; gives what lets it go on.
async function held(who, path) {
  let goOn;
  const free = new Promise((done) => { goOn = done; });
  await who.page.route(path, async (route) => { await free; await route.continue(); }, { times: 1 });
  return goOn;
}
// On record: one demand, with its own time, and the police.
async function oneDemandAndPolice(of) {
  const file = await town.run('toezicht', 'kantoor-1', 'ban', 'show', '--ban', of);
  const breach = file.ban.breaches.at(-1);
  assert.equal(breach.demands.length, 1);
  assert.equal(breach.policeCalled ?? breach.police_called, true);
}

test('signing in: wrong words are refused without saying which, good ones lead to the desk', async () => {
  const roos = await browser.person(reception);
  await roos.go('/');
  assert.equal(roos.url, '/sign-in');
  await roos.check('sign-in');
  await roos.fill({ login: 'receptie', password: 'iets heel anders dan dat', code: '000000' });
  await roos.press('Aanmelden');
  await roos.see(/klopt niet|niet gelukt|lukt niet/i);
  assert.equal(await roos.page.locator('[name=password]').inputValue(), '');
  await roos.signIn(town, 'receptie');
  assert.equal(roos.url, '/desk');
});

test('the answers: by name and date, by document, by half a name; each with what to do', async () => {
  const roos = await browser.person(reception);
  await roos.signIn(town, 'receptie');
  await roos.check('desk');
  await check(roos, 'Jan Pieter de Vries 12-03-1985');
  await answered(roos, 'Toegangsverbod');
  await answered(roos, 'Bel de interne hulpverlening');
  await roos.check('desk-banned');
  await check(roos, 'Vera Vink 1-2-1990');
  await answered(roos, 'Geen verbod gevonden');
  await roos.check('desk-clear');
  await check(roos, 'P<NLDDE<VRIES<<JAN<PIETER<<<<<<<<<<<<<<<<<<<SPECI20142NLD8503127M3208254<<<<<<<<<<<<<<00');
  await answered(roos, 'Toegangsverbod');
  await check(roos, 'Vries');
  await answered(roos, 'Mogelijke overeenkomst');
  await roos.check('desk-possible');
  await roos.press('Dit is de bezoeker');
  await answered(roos, 'Bel de interne hulpverlening');
  await check(roos, 'Vries 31-02-1985');
  await answered(roos, 'Deze datum is niet te lezen');
});

test('keyboard alone: check, hide, demand, next visitor', async () => {
  const roos = await browser.person(reception);
  await roos.signIn(town, 'receptie');
  const key = (k) => roos.page.keyboard.press(k);
  await roos.page.keyboard.type('jan pieter de vries 12031985');
  await key('Enter');
  await answered(roos, 'Toegangsverbod');
  await key('1');
  await until('the first demand is recorded', () => roos.page.locator('.touch.is-done').count());
  await key('P');
  await until('police are recorded', async () => (await roos.page.locator('.touch.is-done').count()) === 2);
  await key('Escape');
  assert.ok(await roos.page.evaluate(() => document.body.classList.contains('is-hidden')));
  await key('Escape');
  await key('F2');
  assert.equal(await roos.page.evaluate(() => document.activeElement.id), 'visitor');
  await roos.page.keyboard.type('vera vink 1-2-1990');
  await key('Enter');
  await answered(roos, 'Geen verbod gevonden');
  await oneDemandAndPolice(ban);
});

test('who types on while an answer is under way loses no letter, and no letter becomes a key', async () => {
  const roos = await browser.person(reception);
  await roos.signIn(town, 'receptie');
  const goOn = await held(roos, '**/desk/check');
  await check(roos, 'Jan Pieter de Vries 12-03-1985');
  await roos.page.keyboard.press('Control+A');
  await roos.page.keyboard.type('P');
  goOn();
  await answered(roos, 'Bel de interne hulpverlening');
  const touched = await roos.page.locator('.touch.is-done').count();
  await roos.page.keyboard.type('p3');
  assert.equal(await roos.page.locator('#visitor').inputValue(), 'Pp3');
  assert.equal(await roos.page.locator('.touch.is-done').count(), touched);
});

test('two touches at once are both recorded, in their order', async () => {
  const roos = await browser.person(reception);
  await roos.signIn(town, 'receptie');
  const zand = await town.activeBan({ given: 'Kees', prefix: '', surname: 'Zand', born: '1981-01-01' });
  await check(roos, 'Kees Zand 01-01-1981');
  await answered(roos, 'Bel de interne hulpverlening');
  // Both before the first is answered.
  const goOn = await held(roos, '**/desk/log');
  await roos.page.keyboard.press('1');
  await roos.page.keyboard.press('P');
  goOn();
  await until('both are recorded', async () => (await roos.page.locator('.touch.is-done').count()) === 2);
  await oneDemandAndPolice(zand);
  await town.lift(zand);
});

test('the photo: thirty seconds, veiled when nobody looks, then nowhere', async () => {
  const roos = await browser.person(reception);
  const pictures = [];
  roos.page.on('response', (r) => { if (r.url().includes('/photo/')) pictures.push(r); });
  await roos.signIn(town, 'receptie');
  await check(roos, 'Jan Pieter de Vries 12-03-1985');
  await answered(roos, 'Toegangsverbod');
  await roos.page.clock.install();
  await roos.press('Foto tonen');
  await roos.page.locator('[data-photo] img').waitFor();
  await until('the photo came', () => pictures.length === 1);
  const [picture] = pictures;
  assert.equal(picture.headers()['cache-control'], 'no-store');
  assert.equal(picture.headers()['content-type'], 'image/jpeg');
  await roos.picture('desk-photo');
  // It is fetched once: the same address gives nothing any more.
  assert.equal((await roos.context.request.get(picture.url())).status(), 404);
  await roos.page.evaluate(() => dispatchEvent(new Event('blur')));
  assert.ok(await roos.page.evaluate(() => document.body.classList.contains('is-veiled')));
  await roos.page.evaluate(() => dispatchEvent(new Event('focus')));
  await roos.page.clock.runFor(31000);
  assert.equal(await roos.page.locator('[data-photo] img').count(), 0);
  assert.equal(await roos.page.locator('img[src*="/photo/"]').count(), 0);
  const kept = await roos.page.evaluate(async () => ({ local: localStorage.length, session: sessionStorage.length, caches: (await caches.keys()).length, databases: (await indexedDB.databases()).length }));
  assert.deepEqual(kept, { local: 0, session: 0, caches: 0, databases: 0 });
});

test('the list is live: a lifted ban is gone from every screen within a second, a new one comes', async () => {
  const roos = await browser.person(reception), sanne = await browser.person(hall);
  await roos.signIn(town, 'receptie');
  await sanne.signIn(town, 'sporthal');
  const other = await town.activeBan({ given: 'Els', prefix: '', surname: 'Water', born: '1999-09-09' });
  for (const who of [roos, sanne]) await who.page.locator('[data-live=list]').getByText('Els Water').waitFor({ timeout: 5000 });
  await town.lift(other);
  const lifted = Date.now();
  for (const who of [roos, sanne]) await who.page.locator('[data-live=list]').getByText('Els Water').waitFor({ state: 'detached', timeout: 5000 });
  // Said of the machine at hand, not asserted of every machine: see tests/bench for what is measured.
  console.log(`# gone from both screens ${Date.now() - lifted} ms after the lifting was done`);
});

test('when the core cannot be reached: at once, loud, and what to do', async () => {
  const roos = await browser.person(reception, { expected: [/ERR_|Failed to load|503/] });
  await roos.signIn(town, 'receptie');
  await roos.page.locator('[data-live=list] li').first().waitFor();
  reception.line.cut();
  await roos.see('Geen verbinding', 5000);
  assert.equal(await roos.page.locator('[data-live=list] li').count(), 0, 'an old list is no list');
  await check(roos, 'Jan Pieter de Vries 12-03-1985');
  await answered(roos, 'Controle niet mogelijk');
  await roos.check('desk-cannot-check');
  assert.ok(!(await roos.text()).includes('Geen verbod gevonden'));
  reception.line.mend();
  await roos.page.locator('[data-live=list] li').first().waitFor({ timeout: 15000 });
  // Silent instead of cut: nobody says that nothing comes through.
  reception.line.silence();
  await roos.see('Geen verbinding', 8000);
  reception.line.mend();
  await roos.page.locator('[data-live=list] li').first().waitFor({ timeout: 40000 });
});

test('denied on the spot: one action, the rest afterwards', async () => {
  const roos = await browser.person(reception);
  await roos.signIn(town, 'receptie');
  await roos.page.keyboard.press('F8');
  await roos.see('De toegang is ontzegd');
  await roos.check('denial');
  await roos.fill({ 'identity.description': 'Lange man, rode jas', reasons: 'Sloeg op de balie.' });
  await roos.press('Vastleggen');
  assert.equal(roos.url, '/desk');
  await roos.page.locator('[data-live=list]').getByText('rode jas').waitFor();
});

test('a change of person: the screen goes dark, one code is enough, and the first session is over', async () => {
  const roos = await browser.person(reception);
  await roos.signIn(town, 'receptie-2');
  await roos.signIn(town, 'receptie');
  await roos.page.keyboard.press('F9');
  await roos.page.waitForURL(/sign-in/);
  assert.ok(!(await roos.text()).includes('Vries'));
  await roos.fill({ login: 'receptie-2', code: town.code('receptie-2') });
  await roos.press('Aanmelden');
  assert.equal(roos.url, '/desk');
  await roos.see('Ravi Reigersbos');
});

test('the end of a session: the page goes dark by itself', async () => {
  const roos = await browser.person(reception, { expected: [/401/] });
  await roos.signIn(town, 'receptie');
  await roos.page.locator('[data-live=list] li').first().waitFor();
  const people = await town.run('beheer', 'kantoor-1', 'people', 'list');
  const person = people.people.find((p) => p.login === 'receptie').id;
  await town.run('beheer', 'kantoor-1', 'people', 'block', '--person', person);
  await roos.page.waitForURL(/sign-in/, { timeout: 8000 });
  assert.ok(!(await roos.text()).includes('Vries'));
});

test('the briefing: one at a time', async () => {
  const sanne = await browser.person(hall);
  await town.run('sporthal', 'sporthal-1', 'instruction', 'acknowledge');
  await sanne.signIn(town, 'sporthal');
  await sanne.go('/briefing');
  await sanne.press(/Begin/);
  await sanne.see('Jan Pieter de Vries');
  await sanne.press('Foto tonen');
  await sanne.page.locator('[data-photo] img').waitFor();
  await sanne.check('briefing');
  await sanne.press('Volgende');
  await sanne.see('U heeft iedereen gezien');
});

test('without script everything still works', async () => {
  const sanne = await browser.person(hall, { script: false });
  await sanne.signIn(town, 'sporthal');
  await sanne.fill({ visitor: 'Jan Pieter de Vries 12-03-1985' });
  await sanne.press('Controleren');
  await answered(sanne, 'Toegangsverbod');
  await sanne.press('Foto tonen');
  assert.equal(await sanne.page.locator('img[src*="/photo/"]').count(), 1);
  await sanne.press('Eerste vordering');
  await answered(sanne, 'Toegangsverbod');
  await sanne.follow(/lijst/i);
  await sanne.see('Jan Pieter de Vries');
});

test('in English, and names with markup in them', async () => {
  await town.activeBan({ given: '<b>Bob</b>', prefix: '', surname: '"><script>alert(1)</script>', born: '1990-01-01' });
  const sanne = await browser.person(hall, { language: 'en' });
  await sanne.go('/sign-in');
  await sanne.see('Sign in');
  await sanne.fill({ login: 'sporthal', password: Town.password, code: town.code('sporthal') });
  await sanne.press('Sign in');
  await sanne.page.locator('[data-live=list]').getByText('<b>Bob</b>').waitFor();
  await check(sanne, 'Bob 1-1-1990');
  await answered(sanne, /Possible match|No ban found/);
  await sanne.check('desk-english');
  await sleep(100);
  assert.ok(!sanne.page.url().includes('Bob'), 'no name in an address');
});
