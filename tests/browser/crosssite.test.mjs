// SPDX-License-Identifier: EUPL-1.2
// A page of somebody else in the browser of somebody who is signed in: it sends, frames, fetches and opens, and gets nothing. Once from
// another site, and once from a neighbour under the same domain, with whom the browser does send the cookie along.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { Browser } from './pages.mjs';
import { freePort, stopAll, Town, until } from './town.mjs';

const places = { 'another site': 'kwaad.localhost', 'a neighbour': 'kwaad.waarborg.localhost' };
let town, browser, reception, evil, ban;

before(async () => {
  town = await Town.start();
  ban = await town.bannedWithPhoto();
  await town.run('receptie', 'receptie-1', 'instruction', 'acknowledge');
  reception = await town.station('receptie-1', [], `balie.waarborg.localhost:${await freePort()}`);
  evil = http.createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>kwaad</title><link rel="icon" href="data:,"><p>kwaad</p>');
  });
  await new Promise((done) => { evil.listen(0, 'localhost', done); });
  browser = await Browser.start();
}, { timeout: 120000 });
afterEach(() => browser.leave());
after(async () => {
  evil?.closeAllConnections();
  evil?.close();
  await stopAll(browser, town);
});

// Roos at the desk, with another tab that shows the page of somebody else.
async function lured(host) {
  const roos = await browser.person(reception, { expected: [/./] });
  await roos.signIn(town, 'receptie');
  const page = await roos.context.newPage();
  await page.goto(`http://${host}:${evil.address().port}/`);
  // What the station answered to what came from there.
  const answers = [];
  page.on('response', (r) => { if (r.url().startsWith(reception.url)) answers.push([new URL(r.url()).pathname, r.status()]); });
  return { roos, page, answers };
}
const shown = () => town.run('toezicht', 'kantoor-1', 'ban', 'show', '--ban', ban);

for (const [who, host] of Object.entries(places)) {
  test(`${who} posts a form: nothing happens`, async () => {
    const { roos, page, answers } = await lured(host);
    const before_ = JSON.stringify(await shown());
    const list = await roos.page.locator('[data-live=list] li').count();
    const forms = {
      '/sign-out': {},
      '/switch': {},
      '/desk/deny': {},
      '/desk/check': { visitor: 'Jan Pieter de Vries 12-03-1985' },
      '/sign-in': { login: 'receptie-2', password: Town.password, code: town.code('receptie-2') },
      '/language': { language: 'en' },
    };
    for (const [path, fields] of Object.entries(forms)) {
      const from = page.url();
      const answer = page.waitForResponse((r) => r.url() === reception.url + path && r.request().method() === 'POST');
      await page.evaluate(([action, values]) => {
        const form = Object.assign(document.createElement('form'), { method: 'post', action });
        for (const [name, value] of Object.entries(values)) form.append(Object.assign(document.createElement('input'), { name, value }));
        document.body.append(form);
        form.submit();
      }, [reception.url + path, fields]);
      assert.equal((await answer).status(), 403, path);
      await page.waitForLoadState();
      assert.match(await page.locator('body').innerText(), /another site/);
      await page.goto(from);
    }
    assert.equal(answers.filter(([, status]) => status !== 403).length, 0, JSON.stringify(answers));
    // Still signed in, as herself, in her own language; and nothing new on the list or in the file.
    await roos.page.reload();
    await roos.see('Roos Roodborst');
    await roos.see('Wissel van persoon');
    await until('the list is there', () => roos.page.locator('[data-live=list] li').count());
    assert.equal(await roos.page.locator('[data-live=list] li').count(), list);
    assert.equal(JSON.stringify(await shown()), before_);
  });

  test(`${who} frames a page, or takes it as script, style or picture: it gets nothing`, async () => {
    const { page, answers } = await lured(host);
    const loaded = await page.evaluate(async (base) => {
      const out = {};
      const tries = { iframe: ['iframe', 'src', '/desk'], object: ['object', 'data', '/desk'], embed: ['embed', 'src', '/desk'], script: ['script', 'src', '/assets/app.js'], style: ['link', 'href', '/assets/station.css'], image: ['img', 'src', '/assets/logo.svg'] };
      for (const [name, [tag, attribute, path]] of Object.entries(tries)) {
        const element = document.createElement(tag);
        if (tag === 'link') element.rel = 'stylesheet';
        const done = new Promise((settle) => { element.onload = () => settle('load'); element.onerror = () => settle('error'); });
        element[attribute] = base + path;
        document.body.append(element);
        out[name] = await Promise.race([done, new Promise((settle) => { setTimeout(settle, 3000, 'nothing'); })]);
      }
      return out;
    }, reception.url);
    for (const name of ['script', 'style', 'image']) assert.notEqual(loaded[name], 'load', name);
    // What is refused to a script or a picture does not count as answered.
    assert.ok(answers.length >= 3, JSON.stringify(answers));
    assert.deepEqual(answers.filter(([, status]) => status !== 403), []);
    // In a frame stands the browser's own page, or the refusal: not a word of the desk.
    for (const frame of page.frames().slice(1)) assert.doesNotMatch(await frame.content().catch(() => ''), /Vries|Roodborst|<form/);
  });

  test(`${who} fetches and listens: no list, no answer`, async () => {
    const { page, answers } = await lured(host);
    const got = await page.evaluate(async (base) => {
      const out = [];
      for (const options of [{ mode: 'cors', credentials: 'include' }, { mode: 'no-cors', credentials: 'include' }, { mode: 'no-cors', credentials: 'include', method: 'POST', body: new URLSearchParams({ visitor: 'Vries' }) }, { mode: 'cors', credentials: 'include', headers: { 'X-Waarborg-Fragment': '1' } }]) {
        for (const path of ['/live', '/desk', '/desk/check', '/awake']) {
          out.push(await fetch(base + path, options).then(async (r) => `${r.type} ${r.status} ${await r.text()}`, (e) => e.name));
        }
      }
      out.push(await new Promise((done) => {
        const source = new EventSource(`${base}/live`, { withCredentials: true });
        source.onopen = source.onmessage = () => { source.close(); done('open'); };
        source.onerror = () => { source.close(); done('error'); };
      }));
      return out;
    }, reception.url);
    assert.deepEqual([...new Set(got.slice(0, -1))].filter((g) => !['TypeError', 'opaque 0 '].includes(g)), []);
    assert.equal(got.at(-1), 'error');
    assert.deepEqual(answers.filter(([, status]) => status < 400), []);
  });

  test(`${who} shows a photo: refused, and it is still there for who asked for it`, async () => {
    const { roos, page, answers } = await lured(host);
    // The photo's own address, before the browser came to fetch it.
    const cdp = await roos.devtools();
    const paused = new Promise((done) => { cdp.once('Fetch.requestPaused', done); });
    await cdp.send('Fetch.enable', { patterns: [{ urlPattern: '*/photo/*', resourceType: 'Image' }] });
    await roos.page.locator('#visitor').fill('Jan Pieter de Vries 12-03-1985');
    await roos.page.locator('#visitor').press('Enter');
    await roos.page.locator('#answer').getByText('Toegangsverbod').first().waitFor();
    await roos.page.getByRole('button', { name: 'Foto tonen' }).first().click();
    const { requestId, request } = await paused;
    const stolen = await page.evaluate(async (address) => {
      const image = new Image();
      const shown = new Promise((done) => { image.onload = () => done('load'); image.onerror = () => done('error'); });
      image.src = address;
      document.body.append(image);
      const fetched = await fetch(address, { mode: 'no-cors', credentials: 'include' }).then(async (r) => (await r.blob()).size, (e) => e.name);
      return [await shown, fetched];
    }, request.url);
    assert.equal(stolen[0], 'error');
    assert.ok(stolen[1] === 'TypeError' || stolen[1] === 0, String(stolen[1]));
    assert.deepEqual(answers.filter(([, status]) => status < 400), []);
    const picture = roos.page.waitForResponse((r) => r.url() === request.url);
    await cdp.send('Fetch.continueRequest', { requestId });
    await cdp.send('Fetch.disable');
    assert.equal((await picture).status(), 200);
  });

  test(`${who} opens a window on the desk: it cannot look in or steer it`, async () => {
    const { roos, page } = await lured(host);
    const [popup] = await Promise.all([
      roos.context.waitForEvent('page'),
      page.evaluate((address) => { globalThis.opened = window.open(address); }, `${reception.url}/desk`),
    ]);
    await popup.waitForLoadState();
    await until('the window is let go', () => page.evaluate(() => globalThis.opened.closed));
    assert.equal(await popup.evaluate(() => globalThis.opener), null);
    // From another site the cookie stays behind, so it is nobody's page.
    assert.equal(new URL(popup.url()).pathname, host.endsWith('.waarborg.localhost') ? '/desk' : '/sign-in');
    await page.evaluate(() => { globalThis.opened.location = 'about:blank'; }).catch(() => {});
    await popup.reload();
    assert.ok(popup.url().startsWith(reception.url));
  });
}
