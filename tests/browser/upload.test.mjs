// SPDX-License-Identifier: EUPL-1.2
// What may come in as a photo and what not, whatever it calls itself; and how a photo goes out to the police contact.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { Browser } from './pages.mjs';
import { stopAll, Town } from './town.mjs';

let town, browser, office, bo, ban, portrait;
const failures = [];

before(async () => {
  town = await Town.start();
  ban = await town.consentedBan();
  portrait = fs.readFileSync(town.portrait(5));
  office = await town.station('kantoor-1');
  browser = await Browser.start();
  bo = await browser.person(office);
  // A dialog would be somebody else's script.
  bo.page.on('dialog', (dialog) => { failures.push(dialog.message()); dialog.dismiss(); });
  bo.page.setDefaultTimeout(10000);
  await bo.signIn(town, 'burgerzaken');
}, { timeout: 60000 });
after(async () => {
  await stopAll(browser, town);
  assert.deepEqual(failures, [], 'no script of a file ran');
});

// ---- Files.

const crcOf = (bytes) => {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; ++i) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
};
const chunk = (name, data) => {
  const named = Buffer.concat([Buffer.from(name), data]);
  const length = Buffer.alloc(4), crc = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  crc.writeUInt32BE(crcOf(named));
  return Buffer.concat([length, named, crc]);
};
// A good PNG that says it is this large, of few bytes.
const png = (width, height) => {
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0]);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(Buffer.alloc(1000))), chunk('IEND', Buffer.alloc(0))]);
};
// The portrait, saying it is larger than it is.
const grown = (side) => {
  const bytes = Buffer.from(portrait);
  const frame = bytes.findIndex((b, i) => b === 0xff && [0xc0, 0xc2].includes(bytes[i + 1]) && bytes[i + 4] === 8);
  bytes.writeUInt16BE(side, frame + 5);
  bytes.writeUInt16BE(side, frame + 7);
  return bytes;
};
// The portrait with words in a comment, which are part of a good JPEG.
const commented = (text) => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(text) + 2);
  return Buffer.concat([portrait.subarray(0, 2), Buffer.from([0xff, 0xfe]), length, Buffer.from(text), portrait.subarray(2)]);
};
const script = '<script>alert(document.domain)</script>';
const html = `<!doctype html><html><body onload="alert(1)">${script}</body></html>`;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="826" height="1062" onload="alert(2)">${script}</svg>`;

// ---- Sending one.

const supply = () => `/files/${ban}/supply`;
async function send(name, bytes, { type = 'image/jpeg', who = bo, button = 'Foto openen' } = {}) {
  if (who.url.split('#')[0] !== supply()) await who.go(supply());
  await who.page.locator('input[type=file]').setInputFiles({ name, mimeType: type, buffer: Buffer.from(bytes) });
  const next = who.page.waitForEvent('domcontentloaded');
  await Promise.all([next, who.page.getByRole('button', { name: button }).click()]);
}
// Where the page has the picture from; null when it has none.
const held = (who = bo) => who.page.evaluate(() => document.querySelector('[data-crop-picture] image')?.getAttribute('href') ?? null);
const status = async (where, who = bo) => (await who.context.request.get(office.url + where)).status();
async function sendGood() {
  await send('foto.jpg', portrait);
  const where = await held();
  assert.match(where, /^\/upload\/[0-9a-f]{32}$/);
  assert.equal(await status(where), 200);
  return where;
}

const hostile = [
  ['HTML that is called a photo', 'foto.jpg', () => html, /geen JPEG of PNG/],
  ['a drawing with a script', 'foto.svg', () => svg, /geen JPEG of PNG/, 'image/svg+xml'],
  ['nothing at all', 'foto.jpg', () => '', /het bestand is leeg/],
  ['half a photo', 'foto.jpg', () => portrait.subarray(0, portrait.length / 2), /beschadigd of niet compleet/],
  ['a photo with a page behind its end', 'foto.jpg', () => Buffer.concat([portrait, Buffer.from(html)]), /Achter deze foto staat nog iets/],
  ['a PNG with an archive behind its end', 'foto.png', () => Buffer.concat([png(826, 1062), Buffer.from('PK\x03\x04')]), /Achter deze foto staat nog iets/, 'image/png'],
  ['a PNG that says it is enormous', 'foto.png', () => png(60000, 60000), /meer dan 40 miljoen beeldpunten/, 'image/png'],
  ['a JPEG that says it is enormous', 'foto.jpg', () => grown(65500), /meer dan 40 miljoen beeldpunten/],
  ['a stamp', 'foto.png', () => png(20, 20), /te klein om iemand te herkennen/, 'image/png'],
];
for (const [what, name, bytes, answer, type] of hostile) {
  test(`refused, and nothing is kept: ${what}`, async () => {
    const before = await sendGood();
    await send(name, bytes(), { type });
    await bo.see('Verbeter eerst dit');
    assert.match(await bo.page.locator('.field--invalid').innerText(), answer);
    assert.equal(await held(), null, 'the page has no picture');
    assert.equal(await status(before), 404, 'nor has the station, not even the one before');
    await bo.go(supply());
    assert.equal(await held(), null);
  });
}

test('what is refused looks as it should', async () => {
  await send('foto.jpg', html);
  await bo.check('upload-refused');
});

test('a file over the limit: said before it is sent, and refused when it comes all the same', async () => {
  const large = Buffer.concat([portrait, Buffer.alloc(10 * 1024 * 1024)]);
  const before = await sendGood();
  await bo.page.locator('input[type=file]').setInputFiles({ name: 'groot.jpg', mimeType: 'image/jpeg', buffer: large });
  const sent = [];
  bo.page.on('request', (r) => { if (r.method() === 'POST') sent.push(r.url()); });
  await bo.page.getByRole('button', { name: 'Foto openen' }).click();
  assert.match(await bo.page.locator('input[type=file]').evaluate((field) => field.validationMessage), /groter dan 10 MB/);
  assert.deepEqual(sent, [], 'it is not sent');
  bo.page.removeAllListeners('request');
  // Without script nobody says so before.
  const plain = await browser.person(office, { script: false });
  await plain.signIn(town, 'burgerzaken');
  await send('groot.jpg', large, { who: plain });
  await plain.see(/groter dan 10 MB/);
  assert.equal(await held(plain), null);
  // Far over it: the station reads no further than it must.
  const refused = await plain.context.request.post(`${office.url}/files/${ban}/upload`, { headers: { Origin: office.url, 'Sec-Fetch-Site': 'same-origin' }, multipart: { photo: { name: 'groot.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(30 * 1024 * 1024) } } }).then((r) => r.status(), () => 413);
  assert.equal(refused, 413);
  assert.equal(await status(before, plain), 404);
  await plain.context.close();
});

test('a name with markup is nowhere on the page', async () => {
  await send('"><img src=x onerror=alert(3)>.jpg', portrait);
  assert.match(await held(), /^\/upload\//);
  assert.ok(!(await bo.page.content()).includes('onerror'));
  assert.equal(await bo.page.locator('img[src=x]').count(), 0);
});

test('a good photo with a page inside it: a picture to the browser, and nothing else', async () => {
  await send('foto.jpg', commented(html));
  const where = await held();
  const answer = await bo.context.request.get(office.url + where);
  assert.equal(answer.headers()['content-type'], 'image/jpeg');
  assert.equal(answer.headers()['x-content-type-options'], 'nosniff');
  assert.match(answer.headers()['content-security-policy'], /sandbox/);
  assert.equal(answer.headers()['cache-control'], 'no-store');
  const tab = await bo.context.newPage();
  tab.on('dialog', (dialog) => { failures.push(dialog.message()); dialog.dismiss(); });
  await tab.goto(office.url + where);
  assert.equal(await tab.locator('script').count(), 0);
  await tab.close();
  // Nobody else has it, and neither has who signs out.
  const britt = await browser.person(office);
  await britt.signIn(town, 'burgerzaken-2');
  assert.equal(await status(where, britt), 404);
  await britt.go(supply());
  assert.equal(await held(britt), null);
});

test('bytes that only the decoder knows to be wrong: the core refuses, and nothing is kept', async () => {
  // Whole to who steps over its parts; its picture stops halfway.
  await send('foto.jpg', Buffer.concat([portrait.subarray(0, portrait.length / 2), Buffer.from([0xff, 0xd9])]));
  const where = await held();
  assert.match(where, /^\/upload\//);
  await bo.page.getByLabel('Waar de foto vandaan komt').selectOption('reisdocument');
  for (const name of ['basis_checked', 'person_checked', 'photo_matches_person']) await bo.page.locator(`[name=${name}]`).check();
  await Promise.all([bo.page.waitForEvent('domcontentloaded'), bo.page.getByRole('button', { name: 'Goedkeuren en verstrekken' }).click()]);
  assert.match(await bo.page.locator('.field--invalid').first().innerText(), /beschadigd/i);
  assert.equal(await held(), null);
  assert.equal(await status(where), 404);
});

test('in English', async () => {
  const english = await browser.person(office, { language: 'en' });
  await english.go('/sign-in');
  await english.fill({ login: 'burgerzaken-2', password: Town.password, code: town.code('burgerzaken-2') });
  await english.press('Sign in');
  await send('photo.jpg', html, { who: english, button: 'Open photo' });
  await english.see(/no JPEG or PNG|not a JPEG or PNG/);
  await english.check('upload-refused-english');
});

test('the police contact: reads the instruction, sees the photo for a reason, and takes it as a file on a basis', async () => {
  const released = await town.consentedBan({ given: 'Els', prefix: '', surname: 'Water', born: '1999-09-09' });
  await town.run('burgerzaken', 'kantoor-1', 'photo', 'supply', '--ban', released, '--file', town.portrait(9), '--source', 'reisdocument', '--basis', 'avg-6-1-e', '--basis-checked', '--person-checked', '--photo-checked');
  await town.run('toezicht', 'kantoor-1', 'photo', 'release', '--ban', released, '--to', 'receptie,politie');
  const puk = await browser.person(office);
  puk.page.setDefaultTimeout(10000);
  await puk.signIn(town, 'politie');
  await puk.follow('Dossiers');
  await puk.follow('Els Water');
  await puk.follow('Foto zien');
  // First the instruction.
  await puk.see('Lees eerst de instructie over foto');
  assert.equal(await puk.page.getByRole('button', { name: 'Foto tonen' }).count(), 0);
  await puk.follow('Naar de instructie');
  await puk.press('Instructie gelezen');
  await puk.page.waitForURL('**/files');
  await puk.go(`/files/${released}/view`);
  await puk.check('police-view');
  // A purpose is asked; then it is there for a while, fetched once.
  await puk.page.getByLabel('Iemand is gezien bij een gebouw').check();
  await puk.press('Foto tonen');
  const shown = puk.page.locator('[data-photo] img');
  await shown.waitFor();
  const where = new URL(await shown.getAttribute('src'), office.url);
  assert.deepEqual(await shown.evaluate((image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])), [413, 531]);
  assert.equal(await status(where.pathname, puk), 404);
  await puk.picture('police-photo');
  // As a file: not without a basis.
  await puk.follow('Foto als bestand');
  await puk.check('police-export');
  await puk.page.getByLabel('Voorbereiden of afhandelen van een incident').check();
  await puk.page.getByLabel('Op welke basis').fill('   ');
  await puk.press('Bestand opslaan');
  await puk.see('Vul in op welke basis u het bestand meeneemt.');
  await puk.page.getByLabel('Op welke basis').fill('Proces-verbaal 2026-7781');
  const [download] = await Promise.all([puk.page.waitForEvent('download'), puk.page.getByRole('button', { name: 'Bestand opslaan' }).click()]);
  assert.equal(download.suggestedFilename(), `${released}.jpg`);
  const bytes = fs.readFileSync(await download.path());
  assert.deepEqual([...bytes.subarray(0, 3)], [0xff, 0xd8, 0xff]);
  assert.ok(!bytes.includes('Exif') && !bytes.includes('Water'), 'no metadata, and no name of the person concerned');
  // It stands on record, and counts.
  const entries = await town.run('auditor', 'kantoor-1', 'audit', 'list', '--ban', released);
  assert.match(JSON.stringify(entries), /ExportPhoto/);
  assert.match(JSON.stringify(entries), /ShowPhoto/);
});

test('nobody else takes the photo as a file, or sees what is not for their desk', async () => {
  const released = await town.bannedWithPhoto({ given: 'Ab', prefix: '', surname: 'Stam', born: '1970-01-01' });
  const roos = await browser.person(office, { expected: [/status of 40[34]/] });
  await roos.signIn(town, 'receptie');
  for (const page of ['view', 'export', 'preview', 'supply']) {
    const answer = await roos.page.goto(`${office.url}/files/${released}/${page}`);
    assert.equal(answer.status(), 403, page);
    assert.ok(!(await roos.text()).includes('Stam'), page);
  }
});
