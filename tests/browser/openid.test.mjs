// SPDX-License-Identifier: EUPL-1.2
// Signing in with the municipality's sign-in service: one that others wrote, on another site than the pages.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Browser } from './pages.mjs';
import { freePort, root, stopAll, Town, until } from './town.mjs';

const link = 'Aanmelden met het werkaccount';
let town, browser, provider, reception, office, folder;

// Ends with its standard input, so also when this program ends in any way.
async function startProvider(redirectUris, publicKey) {
  const client = path.join(folder, 'client.json');
  fs.writeFileSync(client, JSON.stringify({
    client_id: 'waarborg', redirect_uris: redirectUris, grant_types: ['authorization_code'], response_types: ['code'],
    token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256',
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig' }] },
  }));
  const child = spawn('node', [path.join(root, 'tests/openid/provider.mjs'), client], { stdio: ['pipe', 'pipe', 'ignore'] });
  const issuer = await new Promise((done, failed) => {
    child.stdout.once('data', (line) => done(String(line).trim()));
    child.once('exit', () => failed(new Error('the sign-in service did not start')));
  });
  return {
    issuer,
    async stop() {
      if (child.exitCode !== null) return;
      const gone = new Promise((done) => { child.once('exit', done); });
      child.stdin.end();
      await gone;
    },
  };
}

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waarborg-openid-'));
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = path.join(folder, 'client.pem');
  fs.writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const [desk, other] = [`balie.waarborg.localhost:${await freePort()}`, `kantoor.waarborg.localhost:${await freePort()}`];
  const uris = [desk, other].map((host) => `http://${host}/openid`);
  provider = await startProvider(uris, publicKey);
  town = await Town.start({
    // What the service signs is of this moment.
    now: 'now',
    config: (toml) => `${toml}[openid]\nissuer = "${provider.issuer}"\nclient_id = "waarborg"\nredirect_uris = ${JSON.stringify(uris)}\nclient_key_file = "${key}"\nkey_id = "k1"\nscope = "openid profile groups"\naccount_claim = "preferred_username"\nmax_age_minutes = 0\n`,
  });
  reception = await town.station('receptie-1', ['--openid', link], desk);
  office = await town.station('kantoor-1', ['--openid', link], other);
  browser = await Browser.start();
}, { timeout: 120000 });
afterEach(() => browser.leave());
after(async () => {
  await stopAll(browser, town, provider);
  if (folder) fs.rmSync(folder, { recursive: true, force: true });
});

// The service has no icon.
const at = (station, more = {}) => browser.person(station, { expected: [/favicon\.ico/], ...more });
// The cookies of the pages, without those of the service.
const ours = async (who) => (await who.context.cookies()).filter((c) => c.domain.endsWith('waarborg.localhost'));
async function toService(who) {
  town.clock('now');
  await who.go('/sign-in');
  await followLink(who);
}
async function followLink(who) {
  await who.follow(link);
  await who.page.waitForURL(`${provider.issuer}/interaction/*`);
}
// Its form, filled in.
async function answerThere(who, login) {
  await who.fill({ login, password: 'daar' });
  await who.page.getByRole('button', { name: 'Verder' }).click({ noWaitAfter: true });
}
// The whole way; ends at this address.
async function signIn(who, login, address) {
  await toService(who);
  await answerThere(who, login);
  await who.page.waitForURL(address);
}
// Stops the browser where the service sends it back to the pages; gives a promise of what it stopped at.
async function onTheWayBack(who) {
  const cdp = await who.devtools();
  const stopped = new Promise((done) => {
    cdp.once('Fetch.requestPaused', ({ requestId, request }) => done({
      address: request.url,
      async drop() { await cdp.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' }); await cdp.send('Fetch.disable'); },
      async goOn() { await cdp.send('Fetch.continueRequest', { requestId }); await cdp.send('Fetch.disable'); },
    }));
  });
  await cdp.send('Fetch.enable', { patterns: [{ urlPattern: '*/openid?*' }] });
  return { stopped };
}

test('there and back: signed in, at the page where this person begins', async () => {
  const roos = await at(reception);
  await roos.go('/sign-in');
  await roos.check('sign-in-openid');
  await signIn(roos, 'receptie', `${reception.url}/desk`);
  await roos.see('Roos Roodborst');
  // The strict cookie goes along with what comes next, and the one of the attempt is gone.
  await roos.page.reload();
  await roos.see('Roos Roodborst');
  assert.deepEqual((await ours(roos)).map((c) => [c.name, c.sameSite, c.httpOnly, c.secure]), [['__Host-waarborg', 'Strict', true, true]]);
  // Nothing of it is left to go back to.
  assert.ok(!roos.page.url().includes('code='));
  const tess = await at(office);
  await signIn(tess, 'toezicht', `${office.url}/tasks`);
  await tess.see('Tess Torenvalk');
});

test('a change of person: who comes back takes the place', async () => {
  const roos = await at(reception);
  await signIn(roos, 'receptie', /\/desk$/);
  const [first] = await ours(roos);
  await roos.page.keyboard.press('F9');
  await roos.page.waitForURL(/sign-in/);
  await roos.see('Nu aangemeld:');
  await followLink(roos);
  assert.ok(!(await ours(roos)).some((c) => c.name === '__Host-waarborg'), 'who sat here has gone before the browser went elsewhere');
  await answerThere(roos, 'receptie-2');
  await roos.page.waitForURL(/\/desk$/);
  await roos.see('Ravi Reigersbos');
  const [second] = await ours(roos);
  assert.notEqual(first.value, second.value);
});

test('what another browser began is not finished in this one', async () => {
  const roos = await at(reception), mallory = await at(reception);
  await toService(mallory);
  // Mallory keeps what he was given, and has Roos open it.
  const { stopped } = await onTheWayBack(mallory);
  await answerThere(mallory, 'receptie-2');
  const { address: given, drop } = await stopped;
  await drop();
  assert.match(given, /code=/);
  await roos.page.goto(given);
  await roos.see('Dit aanmelden is niet in deze browser begonnen');
  await roos.check('openid-other-browser');
  // Also when she began herself.
  await toService(roos);
  await roos.page.goto(given);
  await roos.see('Dit aanmelden is niet in deze browser begonnen');
  assert.deepEqual((await ours(roos)).filter((c) => c.name === '__Host-waarborg'), []);
  // Nor is it lost to whom it belongs, once.
  await mallory.page.goto(given);
  await mallory.page.waitForURL(/\/desk$/);
  await mallory.page.goto(given);
  await mallory.see('Dit aanmelden is niet in deze browser begonnen');
});

test('the service says no, or knows somebody that this house does not', async () => {
  const roos = await at(reception);
  await toService(roos);
  await answerThere(roos, 'niemand');
  await roos.see('De aanmelddienst van de gemeente heeft u niet aangemeld');
  await roos.check('openid-denied');
  await toService(roos);
  await answerThere(roos, 'vreemde');
  await roos.see('Met dit werkaccount kunt u zich hier nu niet aanmelden');
  await roos.check('openid-stranger');
  assert.deepEqual(await ours(roos), []);
  const english = await at(reception, { language: 'en' });
  await toService(english);
  await answerThere(english, 'vreemde');
  await english.see('You cannot sign in here with this account of work now');
});

test('without script as well', async () => {
  const roos = await at(reception, { script: false });
  await signIn(roos, 'receptie', `${reception.url}/desk`);
  await roos.see('Roos Roodborst');
});

// The last: afterwards there is no service.
test('the service is down: the page says so, and a password still works', async () => {
  const roos = await at(reception);
  await toService(roos);
  // Gone between the form and the way back.
  const { stopped } = await onTheWayBack(roos);
  await answerThere(roos, 'receptie');
  const { goOn } = await stopped;
  await provider.stop();
  await goOn();
  await roos.see('De aanmelddienst van de gemeente antwoordt niet', 20000);
  // And for a core that has never spoken to it.
  await town.stopCore();
  await town.startCore();
  await until('the station has found the core again, and the core no service', async () => {
    await roos.go('/sign-in');
    await roos.follow(link);
    return (await roos.text()).includes('De aanmelddienst van de gemeente antwoordt niet');
  }, 30000);
  await roos.check('openid-down');
  await roos.signIn(town, 'receptie');
  assert.equal(roos.url, '/desk');
});
