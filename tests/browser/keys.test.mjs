// SPDX-License-Identifier: EUPL-1.2
// Security keys, with the browser's own virtual ones: made, confirmed by a second person, used alone; and what is refused.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { Browser } from './pages.mjs';
import { freePort, stopAll, Town } from './town.mjs';

const domain = 'waarborg.localhost';
let town, browser, office, reception, hall, elsewhere;

before(async () => {
  const ports = [];
  while (ports.length < 4) ports.push(await freePort());
  // A name that the core knows for the office and for the reception, none for the hall; and one that is of another domain.
  const [a, b, c, d] = [`kantoor.${domain}:${ports[0]}`, `balie.${domain}:${ports[1]}`, `sporthal.${domain}:${ports[2]}`, `elders.localhost:${ports[3]}`];
  town = await Town.start({ config: (toml) => toml.replace(/^origins = .*$/m, `origins = ["http://${a}", "http://${b}"]`) });
  office = await town.station('kantoor-1', ['--security-keys'], a);
  reception = await town.station('receptie-1', ['--security-keys'], b);
  hall = await town.station('sporthal-1', ['--security-keys'], c);
  elsewhere = await town.station('receptie-1', ['--security-keys'], d);
  browser = await Browser.start();
}, { timeout: 120000 });
afterEach(() => browser.leave());
after(() => stopAll(browser, town));

// Somebody with a security key in their hand.
async function withKey(station, options = {}) {
  const who = await browser.person(station, options);
  const cdp = await who.devtools();
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  who.held = async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  who.verified = (is) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: is });
  who.take = (credential) => cdp.send('WebAuthn.addCredential', { authenticatorId, credential });
  return who;
}

// What a program sends that is no browser.
const post = (station, path, body) => new Promise((done, failed) => {
  const { host, port, origin } = new URL(station.url);
  const request = http.request({ host: 'localhost', port, path, method: 'POST', headers: { host, origin, 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) } }, async (response) => {
    let text = '';
    for await (const piece of response) text += piece;
    done({ status: response.statusCode, body: text });
  });
  request.on('error', failed);
  request.end(body);
});

async function addKey(who, login, label) {
  await who.go('/keys');
  await who.fill({ label, code: town.code(login) });
  await who.press('Sleutel toevoegen');
}
const useKey = (who) => who.press('Aanmelden met beveiligingssleutel');
const refused = (who, text) => who.page.getByRole('alert').getByText(text).first().waitFor({ timeout: 8000 });

async function confirmKey(whose) {
  const pia = await browser.person(office);
  await pia.signIn(town, 'privacy');
  await pia.go('/changes');
  const card = pia.page.locator('article.change', { hasText: 'Nieuwe beveiligingssleutel' }).filter({ hasText: whose });
  await card.getByText('Vraag of hij zelf is gemaakt').waitFor();
  await pia.check('changes-key');
  await card.getByRole('button', { name: 'Bevestigen' }).click();
  await pia.see('Bevestigd');
  await pia.context.close();
}

// Roos, whose key was confirmed; signed out.
async function roosWithKey(label) {
  const roos = await withKey(reception);
  await roos.signIn(town, 'receptie');
  await addKey(roos, 'receptie', label);
  await roos.see('De sleutel is aangemeld');
  await confirmKey('Roos Roodborst');
  await roos.press('Afmelden');
  return roos;
}
async function removeKey(who, label) {
  await who.go('/keys');
  await who.page.locator('section.card', { hasText: label }).getByRole('button', { name: 'Verwijderen' }).click();
  await who.see('De sleutel is verwijderd');
}

test('a key: made with a code, works once a second person confirms it, then without password and code', async () => {
  const roos = await withKey(reception);
  await roos.signIn(town, 'receptie');
  await roos.follow('Beveiligingssleutels');
  assert.equal(roos.url, '/keys');
  await roos.see('U hebt nog geen beveiligingssleutel');
  await roos.check('keys-none');
  await addKey(roos, 'receptie', 'sleutelbos');
  await roos.see('De sleutel is aangemeld');
  await roos.see('wacht op een tweede persoon');
  await roos.check('keys-waiting');
  const [made] = await roos.held();
  assert.equal(made.rpId, domain);
  assert.ok(made.isResidentCredential);

  // Until then it is no way in.
  await roos.press('Afmelden');
  await roos.check('sign-in-key');
  await useKey(roos);
  await roos.see('Met deze sleutel kunt u zich hier niet aanmelden');
  assert.notEqual(roos.url, '/desk');
  await roos.check('sign-in-key-refused');

  await confirmKey('Roos Roodborst');
  await roos.go('/sign-in');
  await useKey(roos);
  await roos.page.waitForURL(/\/desk$/);
  await roos.see('Roos Roodborst');
  await roos.go('/keys');
  await roos.see('sleutelbos');
  assert.equal(await roos.page.getByText('wacht op een tweede persoon').count(), 0);
  await roos.check('keys-confirmed');
  // How she came in is on record.
  const entries = JSON.stringify(await town.run('auditor', 'kantoor-1', 'audit', 'list', '--event', 'OpenSession', '--person', 'receptie'));
  assert.match(entries, /SECURITY_KEY/i);

  // Removed it is no way in any more.
  await removeKey(roos, 'sleutelbos');
  await roos.see('U hebt nog geen beveiligingssleutel');
  await roos.press('Afmelden');
  await useKey(roos);
  await roos.see('Met deze sleutel kunt u zich hier niet aanmelden');
  // And words instead still work.
  await roos.signIn(town, 'receptie');
});

test('a key for two: it signs in whose it is, in the place of who sat there', async () => {
  const roos = await roosWithKey('twee');
  await roos.signIn(town, 'receptie-2');
  await roos.see('Ravi Reigersbos');
  await roos.page.keyboard.press('F9');
  await roos.page.waitForURL(/sign-in/);
  await useKey(roos);
  await roos.page.waitForURL(/\/desk$/);
  await roos.see('Roos Roodborst');
  await removeKey(roos, 'twee');
});

test('what makes no key: a wrong code, the same key twice, no finger', async () => {
  const roos = await withKey(reception);
  await roos.signIn(town, 'receptie');
  await roos.go('/keys');
  await roos.fill({ label: 'proef', code: '000000' });
  await roos.press('Sleutel toevoegen');
  await refused(roos, 'De code klopt niet');
  await roos.check('keys-wrong-code');
  assert.deepEqual(await roos.held(), []);

  await addKey(roos, 'receptie', 'proef');
  await roos.see('wacht op een tweede persoon');
  await addKey(roos, 'receptie', 'nog eens');
  await refused(roos, 'Deze sleutel is al aangemeld voor uw account');
  assert.equal((await roos.held()).length, 1);
  assert.equal(await roos.page.locator('[name=code]').inputValue(), '', 'a code is good once');
  await removeKey(roos, 'proef');
});

test('the core refuses what a page forgets to ask for: PIN or finger', async () => {
  const roos = await roosWithKey('vinger');
  const [key] = await roos.held();
  const other = await withKey(reception);
  await other.take(key);
  // A page that would do without.
  await other.page.addInitScript(() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => { options.publicKey.userVerification = 'discouraged'; return get(options); };
  });
  await other.verified(false);
  const sent = other.page.waitForRequest('**/sign-in/key');
  await other.go('/sign-in');
  await useKey(other);
  await other.see('Met deze sleutel kunt u zich hier niet aanmelden');
  const flags = Buffer.from(new URLSearchParams((await sent).postData()).get('authenticator_data'), 'base64url')[32];
  assert.equal(flags & 5, 1, 'somebody was there, and nobody knows who');
  await useKey(roos);
  await roos.page.waitForURL(/\/desk$/);
  await removeKey(roos, 'vinger');
});

test('no finger, or no key: the page says so, and can be tried again', async () => {
  const roos = await withKey(reception);
  // As if its holder had turned it away; the browser itself would wait for minutes.
  await roos.page.addInitScript(() => { navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError')); });
  await roos.go('/sign-in');
  await useKey(roos);
  await refused(roos, 'Er is geen sleutel gebruikt');
  await roos.check('sign-in-key-none');
  await useKey(roos);
  await refused(roos, 'Er is geen sleutel gebruikt');
  assert.equal(roos.url, '/sign-in');
});

test('a key works at no address that the core does not know', async () => {
  const roos = await roosWithKey('adres');
  const [key] = await roos.held();
  // The same domain, another page: the browser signs, the core refuses.
  const atHall = await withKey(hall);
  await atHall.take(key);
  await atHall.go('/sign-in');
  await useKey(atHall);
  await atHall.see('Met deze sleutel kunt u zich hier niet aanmelden');
  await atHall.context.close();
  // Another domain: the browser does not even ask the key.
  const there = await withKey(elsewhere);
  await there.go('/sign-in');
  await useKey(there);
  await refused(there, 'Beveiligingssleutels werken niet op het adres van deze werkplek');
  await there.check('sign-in-key-elsewhere');
  // What was signed at the one is of no use at the other: each challenge is of one station.
  const atOffice = await withKey(office);
  await atOffice.take(key);
  let signed = null;
  await atOffice.page.route('**/sign-in/key', async (route) => { signed = route.request().postData(); await route.abort(); });
  atOffice.expected.push(/ERR_FAILED/);
  await atOffice.go('/sign-in');
  await atOffice.page.getByRole('button', { name: 'Aanmelden met beveiligingssleutel' }).click();
  await atOffice.page.waitForEvent('requestfailed');
  assert.match(signed, /signature=[\w-]{40,}/);
  const replayed = await post(reception, '/sign-in/key', signed);
  assert.equal(replayed.status, 200);
  assert.match(replayed.body, /Met deze sleutel kunt u zich hier niet aanmelden/);
  // At the office itself it is good, once.
  assert.equal((await post(office, '/sign-in/key', signed)).status, 303);
  assert.equal((await post(office, '/sign-in/key', signed)).status, 200);
  // The office's copy has signed since, and the key here counts less: one of the two is a copy.
  await useKey(roos);
  await roos.see('Met deze sleutel kunt u zich hier niet aanmelden');
  await roos.signIn(town, 'receptie');
  await removeKey(roos, 'adres');
});

test('a reset takes the keys away', async () => {
  const ravi = await withKey(reception);
  await ravi.signIn(town, 'receptie-2');
  await addKey(ravi, 'receptie-2', 'van Ravi');
  await ravi.see('De sleutel is aangemeld');
  await confirmKey('Ravi Reigersbos');
  await ravi.press('Afmelden');
  const proposed = await town.run('beheer', 'kantoor-1', 'people', 'reset', '--person', town.people.get('receptie-2').id);
  await useKey(ravi);
  await ravi.page.waitForURL(/\/desk$/);
  await town.run('privacy', 'kantoor-1', 'change', 'confirm', '--change', proposed.receipt.id);
  await ravi.go('/desk');
  await ravi.page.waitForURL(/sign-in/);
  await useKey(ravi);
  await ravi.see('Met deze sleutel kunt u zich hier niet aanmelden');
});

test('in English; and without script there is no button that does nothing', async () => {
  const roos = await withKey(reception, { language: 'en' });
  await roos.go('/sign-in');
  await roos.page.getByRole('button', { name: 'Sign in with a security key' }).waitFor();
  await roos.page.evaluate(() => { navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError')); });
  await roos.press('Sign in with a security key');
  await refused(roos, 'No key was used');
  const without = await browser.person(reception, { script: false });
  await without.go('/sign-in');
  assert.equal(await without.page.getByRole('button', { name: 'Aanmelden met beveiligingssleutel' }).count(), 0);
  assert.ok(!(await without.page.locator('.or').isVisible()));
  await without.signIn(town, 'receptie');
  await without.go('/keys');
  assert.equal(await without.page.getByRole('button', { name: 'Sleutel toevoegen' }).count(), 0);
  assert.ok(await without.page.locator('noscript p').isVisible());
});
