// SPDX-License-Identifier: EUPL-1.2
// The recorded walk: one ban and its photo from beginning to end, as people who never saw the pages would do it, through the pages
// alone. What each task takes is counted and kept (WALK.md).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser } from './pages.mjs';
import { bin, stopAll, Town, until } from './town.mjs';
import { compare, Walk } from './walk.mjs';

let town, browser, reception, hall, office, ban, portrait;
const visitor = 'Jan Pieter de Vries';

before(async () => {
  town = await Town.start();
  // The auditor's station knows the key of the log by other hands than the core's.
  const key = path.join(town.folder, 'log-key');
  fs.writeFileSync(key, execFileSync(bin('waarborgd-test'), ['log-key', '--config', 'waarborgd.toml'], { cwd: town.folder }));
  office = await town.station('kantoor-1', ['--log-key', key, '--log-folder', path.join(town.folder, 'data/published')]);
  reception = await town.station('receptie-1');
  hall = await town.station('sporthal-1');
  portrait = town.portrait(7);
  browser = await Browser.start();
}, { timeout: 60000 });
after(() => stopAll(browser, town));

const walk = (station, login, name) => Walk.begin(browser, station, town, login, name);
// The answer to a check: its kind, as the page shows it, and its title.
const answered = (who, kind, title) => who.page.locator(`#answer .answer--${kind} .answer__title`, { hasText: title }).waitFor({ timeout: 10000 });
// Opens what waits for them, from the first page they see.
const task = (who, what) => who.follow(what);

// All given names and the date, as they are read from a document: surname and date alone are never certain. The field is ready.
async function check(who) {
  await who.keyboard('jan pieter de vries 12031985');
  await who.key('Enter');
}

test('a ban is proposed, with the guideline beside it', async () => {
  const marit = await walk(office, 'teamleider', 'Propose a ban');
  await marit.signIn();
  await marit.follow('Nieuw verbod');
  await marit.type('Voornamen', 'Jan Pieter');
  await marit.key('Tab');
  await marit.keyboard('de');
  await marit.key('Tab');
  await marit.keyboard('Vries');
  await marit.type('Dag', '12');
  await marit.key('Tab');
  await marit.keyboard('03');
  await marit.key('Tab');
  await marit.keyboard('1985');
  await marit.tick('De identiteit staat vast');
  await marit.choose('Grond', 'Fysiek geweld tegen een medewerker');
  await marit.press('Richtlijn toepassen');
  await marit.picture('walk-new-ban');
  assert.ok(await marit.page.getByLabel('Toegangsverbod').first().isChecked(), 'the guideline fills in the measure');
  assert.equal(await marit.page.locator('[name="terms.until"]').inputValue(), '2026-06-01');
  assert.ok(await marit.page.getByLabel('Gemeentehuis', { exact: true }).isChecked(), 'and where it happened');
  await marit.type(/^Wat er gebeurde/, 'Duwde aan de balie een medewerker.');
  await marit.tick('Sporthal De Dam');
  await marit.tick('Besluit');
  await marit.type(/^Hoe betrokkene ons blijft bereiken/, 'Telefoon en post');
  await marit.press('Maatregel voorstellen');
  await marit.see('Het voorstel is vastgelegd');
  ban = marit.person.url.match(/^\/files\/(LV-[0-9A-Z]{10})$/)[1];
  await marit.picture('walk-proposed');
  await marit.end();
});

test('the secretary advises', async () => {
  const siem = await walk(office, 'secretaris', 'Advise on a ban');
  await siem.signIn();
  await task(siem, 'Adviseren over de maatregel');
  await siem.type('Advies', 'Drie maanden past.');
  await siem.picture('walk-advise');
  await siem.press('Advies vastleggen');
  await siem.see('Uw advies is vastgelegd');
  await siem.end();
});

test('the board decides', async () => {
  const cato = await walk(office, 'collegesecretariaat', 'Record the decision of the board');
  await cato.signIn();
  await task(cato, 'Beslissen over het voorstel');
  await cato.see('Drie maanden past.');
  await cato.type('Nummer van het besluit', '2026-118');
  await cato.picture('walk-decide');
  await cato.press('Maatregel nemen');
  await cato.see('Het besluit is vastgelegd');
  await cato.end();
});

test('a banned visitor is refused: the answer, and what to do', async () => {
  const roos = await walk(reception, 'receptie', 'Check a visitor');
  await roos.signIn();
  await check(roos);
  await answered(roos, 'banned', 'Toegangsverbod');
  assert.deepEqual(await roos.page.locator('#answer .steps li').count(), 3, 'what to do here');
  await roos.see('Bel de interne hulpverlening');
  await roos.see('Ik vorder u dit gebouw nu te verlaten.');
  await roos.picture('walk-refused');
  await roos.end();
});

test('a photo: told', async () => {
  const marit = await walk(office, 'teamleider', 'Record that the person was told');
  await marit.signIn();
  await task(marit, 'Betrokkene over de foto vertellen');
  await marit.picture('walk-inform');
  await marit.press('Vastleggen');
  await marit.see('Toezicht en Veiligheid kan nu toestemming');
  await marit.end();
});

test('a photo: asked for', async () => {
  const tess = await walk(office, 'toezicht', 'Ask consent for a photo');
  await tess.signIn();
  await task(tess, 'Toestemming voor de foto vragen');
  await tess.picture('walk-request');
  await tess.press('Toestemming vragen');
  await tess.see('De toestemming is gevraagd');
  await tess.end();
});

test('a photo: consented to, by another manager', async () => {
  const mees = await walk(office, 'teamleider-sport', 'Consent to a photo');
  await mees.signIn();
  await task(mees, 'Toestemming voor de foto geven of weigeren');
  for (const [criterion, why] of [[/^1\./, 'Twee gebouwen, veel balies.'], [/^2\./, 'Er viel iemand.'], [/^3\./, 'In het gesprek.']]) {
    await mees.tick('Ja', criterion);
    await mees.key('Tab');
    await mees.keyboard(why);
  }
  await mees.tick(/AVG art. 6 lid 1 onder e/);
  await mees.person.check('walk-consent');
  await mees.press('Toestemming geven');
  await mees.see('Burgerzaken verstrekt de foto');
  await mees.end();
});

test('a photo: chosen, cut with the keyboard, approved and supplied', async () => {
  const bo = await walk(office, 'burgerzaken', 'Approve and supply a photo, cut with the keyboard');
  await bo.signIn();
  await task(bo, 'Foto verstrekken');
  await bo.pick('Foto uit de administratie', portrait);
  await bo.press('Foto openen');
  await bo.page.locator('[data-crop-picture] image').waitFor();
  // The page comes back at the cut, so that the picture is next.
  await bo.key('Tab');
  assert.ok(await bo.page.evaluate(() => document.activeElement.matches('[data-crop-picture]')), 'the picture has the focus');
  const cut = async () => Object.fromEntries(await Promise.all(['left', 'top', 'width'].map(async (name) => [name, Number(await bo.page.locator(`[name="crop.${name}"]`).inputValue())])));
  const whole = await cut();
  // The script comes after the page: a key before it does nothing, so it may be pressed again.
  await until('the script takes the keys', async () => { await bo.page.keyboard.press('-'); return (await cut()).width < whole.width; });
  bo.keys += 1;
  await bo.key('-');
  await bo.key('ArrowUp');
  await bo.key('ArrowRight');
  const smaller = await cut();
  assert.ok(smaller.width < whole.width * 0.85 && smaller.left > (826 - smaller.width) / 2 && smaller.top < (1062 - smaller.width * 45 / 35) / 2, JSON.stringify(smaller));
  const frame = bo.page.locator('[data-crop-frame]');
  assert.deepEqual([await frame.getAttribute('x'), await frame.getAttribute('width')].map(Number), [smaller.left, smaller.width], 'what is drawn is what is sent');
  await bo.choose('Waar de foto vandaan komt', 'Reisdocumentenadministratie');
  await bo.tick('Ik heb de grondslag gecontroleerd');
  await bo.tick('Ik heb gecontroleerd wie de persoon is');
  await bo.tick('Ik heb gecontroleerd dat deze foto bij die persoon hoort');
  await bo.person.check('walk-supply');
  assert.deepEqual(await cut(), smaller);
  await bo.press('Goedkeuren en verstrekken');
  await bo.see('Verstrekt.');
  // What desks will see is looked at before it is released.
  await bo.touch('Foto tonen');
  await bo.page.locator('[data-photo] img').waitFor();
  await bo.picture('walk-preview');
  await bo.end();
});

test('a photo: released to whom it concerns', async () => {
  const tess = await walk(office, 'toezicht', 'Release a photo');
  await tess.signIn();
  await task(tess, 'Foto vrijgeven');
  await tess.tick('Receptie en bodes');
  await tess.tick('Beheer sporthal');
  await tess.person.check('walk-release');
  await tess.press('Foto vrijgeven');
  await tess.see('De foto is vrijgegeven');
  await tess.end();
});

test('a photo: seen at the desk, once the instruction is read', async () => {
  const roos = await walk(reception, 'receptie', 'See a photo at the desk, for the first time');
  await roos.signIn();
  await roos.follow('Lees de instructie');
  await roos.press('Instructie gelezen');
  // With the instruction read the desk is next, ready to type.
  assert.equal(roos.person.url, '/desk');
  await check(roos);
  await answered(roos, 'banned', 'Toegangsverbod');
  await roos.touch('Foto tonen');
  const shown = roos.page.locator('[data-photo] img');
  await shown.waitFor();
  assert.deepEqual(await shown.evaluate((image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])), [413, 531]);
  await roos.picture('walk-photo');
  await roos.end();
});

test('the ban is lifted, and every desk knows', async () => {
  const cato = await walk(office, 'collegesecretariaat', 'Lift a ban');
  await cato.signIn();
  await cato.follow('Dossiers');
  await cato.follow(visitor);
  await cato.follow('Opheffen');
  await cato.type('Waarom opheffen', 'Het tweede gesprek was goed.');
  await cato.type('Nummer van het besluit', '2026-140');
  await cato.picture('walk-lift');
  await cato.press('Maatregel opheffen');
  await cato.see('De maatregel is opgeheven');
  await cato.end();

  const roos = await walk(reception, 'receptie', 'Check a visitor whose ban was lifted');
  await roos.signIn();
  await check(roos);
  await answered(roos, 'clear', 'Geen verbod gevonden');
  await roos.end();
});

test('the groups confirm that no copy is left', async () => {
  for (const [station, login] of [[reception, 'receptie'], [hall, 'sporthal']]) {
    const somebody = await walk(station, login, 'Confirm that no copy is left');
    await somebody.signIn();
    await somebody.follow('Mijn taken');
    await task(somebody, 'Bevestigen dat er geen kopie');
    await somebody.tick('Niets: er was geen kopie');
    await somebody.person.check(`walk-copies-${login}`);
    await somebody.press('Bevestigen');
    await somebody.see('Dank u. Het is vastgelegd.');
    await somebody.see('Niets te doen');
    await somebody.end();
  }
  const tess = await walk(office, 'toezicht', 'See that the photo is gone everywhere');
  await tess.signIn();
  await tess.follow('Dossiers');
  await tess.follow(visitor);
  const text = await tess.person.text();
  assert.match(text, /vernietigd/i);
  assert.match(text, /Roos Roodborst/);
  assert.match(text, /Sanne Sijsje/);
  await tess.picture('walk-gone');
  await tess.end();
});

test('the auditor: who saw this photo?', async () => {
  const aukje = await walk(office, 'auditor', 'Find who saw a photo');
  await aukje.signIn();
  await aukje.keyboard(ban);
  await aukje.enter();
  const rows = await aukje.page.locator('table.entries tbody tr').allInnerTexts();
  await aukje.picture('walk-who-saw');
  // Newest first: reception, and before that who looked whether it was right. Nobody else.
  assert.equal(rows.length, 2, rows.join('\n'));
  assert.match(rows[0], /Foto bekeken[^]*bezoeker aan de balie[^]*Roos Roodborst[^]*receptie-1/);
  assert.match(rows[1], /Foto gecontroleerd[^]*Bo Berkenhout[^]*kantoor-1/);
  await aukje.end();
});

test('the auditor: is this log what it was?', async () => {
  const aukje = await walk(office, 'auditor', 'Check that the log is what it was');
  await aukje.signIn();
  await aukje.follow('Is dit logboek wat het was?');
  await aukje.press('Nu controleren');
  await aukje.see('Alles wat is nagekeken, klopt.');
  await aukje.see('Elke regel nagerekend: klopt');
  await aukje.picture('walk-verify');
  await aukje.end();
});

test('the auditor: one byte changed behind the back of everybody', async () => {
  const aukje = await browser.person(office);
  await aukje.signIn(town, 'auditor');
  await aukje.go('/log/verify');
  const published = path.join(town.folder, 'data/published');
  const entries = fs.readdirSync(published, { recursive: true }).filter((name) => name.includes('tile/entries/')).map((name) => path.join(published, name)).find((name) => fs.statSync(name).isFile());
  const bytes = fs.readFileSync(entries);
  bytes[0] ^= 1;
  fs.writeFileSync(entries, bytes);
  await aukje.press('Nu controleren');
  await aukje.see('HET KLOPT NIET', 10000);
  await aukje.see('Elke regel nagerekend: KLOPT NIET');
  await aukje.check('walk-verify-wrong');
});

test('no task has become longer than it stands in WALK.md', () => compare());
