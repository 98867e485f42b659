// SPDX-License-Identifier: EUPL-1.2
// From a proposal to a first day at work: two colleagues with half a code each, and the person with both.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Browser } from './pages.mjs';
import { stopAll, Town } from './town.mjs';

let town, browser, office, reception;

before(async () => {
  town = await Town.start();
  office = await town.station('kantoor-1');
  reception = await town.station('receptie-1');
  browser = await Browser.start();
}, { timeout: 120000 });
afterEach(() => browser.leave());
after(() => stopAll(browser, town));

const half = (who) => who.page.locator('.half').innerText();
const enrol = async (who, login, first, second, password, again = password) => {
  await who.go('/enrol');
  await who.fill({ login, first_half: first, second_half: second, password, password2: again });
  await who.press('In gebruik nemen');
};
const propose = async (who, login, name) => {
  await who.go('/people/new');
  await who.fill({ display_name: name, login, 'assignment.department': 'publiekszaken', 'assignment.until': '2026-12-31' });
  await who.page.locator('[name="assignment.roles"][value="ROLE_DESK_STAFF"]').check();
  await who.page.locator('[name="assignment.location_ids"][value="gemeentehuis"]').check();
  await who.page.locator('[name="assignment.unit_ids"][value="receptie"]').check();
  await who.press('Voorstellen');
};
const confirm = async (who, about) => {
  await who.go('/changes');
  await who.page.locator('article.change', { hasText: about }).getByRole('button', { name: 'Bevestigen' }).click();
  await who.page.waitForLoadState();
};

test('a new colleague: proposed, confirmed, enrolled with both halves, at work with a code', async () => {
  const bas = await browser.person(office), pia = await browser.person(office), nel = await browser.person(reception);
  await bas.signIn(town, 'beheer');
  await propose(bas, 'nieuw', 'Nel Nachtegaal');
  await bas.see('Eerste helft van de aanmeldcode');
  await bas.check('enrolment-first-half');
  const first = await half(bas);
  // Nobody may confirm what they proposed.
  await bas.follow('Ik heb hem overgeschreven');
  assert.equal(bas.url, '/changes');
  await bas.see('Iemand anders moet dit bevestigen');
  assert.equal(await bas.page.getByRole('button', { name: 'Bevestigen' }).count(), 0);
  // The half was shown once.
  assert.ok(!(await bas.page.content()).includes(first));

  // Before it is confirmed, half a code opens nothing.
  await enrol(nel, 'nieuw', first, first, 'een eigen lange zin voor Nel');
  await nel.see('Naam of aanmeldcode klopt niet');

  await pia.signIn(town, 'privacy');
  await pia.go('/changes');
  await pia.see('Nieuw account: nieuw');
  await pia.check('changes-new-person');
  await confirm(pia, 'Nieuw account: nieuw');
  await pia.see('Tweede helft van de aanmeldcode');
  await pia.see('Nel Nachtegaal');
  await pia.check('enrolment-second-half');
  const second = await half(pia);
  assert.notEqual(first, second);

  await nel.go('/sign-in');
  await nel.follow('Account in gebruik nemen');
  await nel.check('enrol');
  await enrol(nel, 'nieuw', first, second, 'een eigen lange zin voor Nel', 'een andere lange zin voor Nel');
  await nel.see('De twee wachtwoorden zijn niet gelijk');
  await nel.check('enrol-unequal');
  // What was typed stays, but no password.
  assert.equal(await nel.page.locator('[name=login]').inputValue(), 'nieuw');
  assert.equal(await nel.page.locator('[name=password]').inputValue(), '');
  await enrol(nel, 'nieuw', first, second, 'te kort');
  await nel.see('Het wachtwoord is korter dan 12 tekens');
  await enrol(nel, 'nieuw', second, first, 'een eigen lange zin voor Nel');
  await nel.see('Naam of aanmeldcode klopt niet');
  await enrol(nel, 'nieuw', first, second, 'een eigen lange zin voor Nel');
  await nel.see('Uw account is in gebruik');
  await nel.check('enrolled');
  const secret = (await nel.page.locator('.secret').innerText()).replace(/\s/g, '');
  assert.match(secret, /^[A-Z2-7]{32,}$/);
  town.people.set('nieuw', { secret });

  await nel.follow('Ik heb hem ingevoerd: aanmelden');
  assert.equal(nel.url, '/sign-in');
  await nel.fill({ login: 'nieuw', password: 'een eigen lange zin voor Nel', code: town.code('nieuw') });
  await nel.press('Aanmelden');
  assert.equal(nel.url, '/desk');
  await nel.see('Nel Nachtegaal');
  // Both halves are used up.
  const again = await browser.person(reception);
  await enrol(again, 'nieuw', first, second, 'een heel andere lange zin');
  await again.see('Naam of aanmeldcode klopt niet');
  // And neither is anywhere in the log.
  const log = JSON.stringify(await town.run('auditor', 'kantoor-1', 'audit', 'list'));
  for (const kept of [first, second, secret]) assert.ok(!log.includes(kept));
});

test('a proposal sent twice is one account; a taken name is refused at its field, with what was typed', async () => {
  const bas = await browser.person(office);
  await bas.signIn(town, 'beheer');
  await propose(bas, 'receptie', 'Rik Roek');
  await bas.page.locator('.field--invalid').first().waitFor();
  assert.equal(await bas.page.locator('[name=display_name]').inputValue(), 'Rik Roek');
  assert.ok(await bas.page.locator('[name="assignment.roles"][value="ROLE_DESK_STAFF"]').isChecked());
  await bas.check('people-new-taken');
  await bas.fill({ login: 'roek' });
  await bas.press('Voorstellen');
  await bas.see('Eerste helft van de aanmeldcode');
  // The browser sends the same form again: no second half of a second code.
  const before_ = (await town.run('privacy', 'kantoor-1', 'change', 'list')).changes.length;
  await bas.page.reload();
  await bas.see('Wacht op een tweede persoon');
  assert.equal(await bas.page.locator('.half').count(), 0);
  assert.equal((await town.run('privacy', 'kantoor-1', 'change', 'list')).changes.length, before_);
});

test('a reset: the old password and codes end, the new halves begin', async () => {
  const bas = await browser.person(office), pia = await browser.person(office), ravi = await browser.person(reception);
  await bas.signIn(town, 'beheer');
  await ravi.signIn(town, 'receptie-2');
  await bas.go(`/people/${town.people.get('receptie-2').id}/reset`);
  await bas.check('people-reset');
  await bas.press('Voorstellen');
  await bas.see('Eerste helft van de aanmeldcode');
  const first = await half(bas);
  await pia.signIn(town, 'privacy');
  await confirm(pia, 'Nieuw wachtwoord en nieuwe codeapp');
  await pia.see('Tweede helft van de aanmeldcode');
  const second = await half(pia);
  await ravi.go('/desk');
  await ravi.page.waitForURL(/sign-in/);
  await ravi.fill({ login: 'receptie-2', password: Town.password, code: town.code('receptie-2') });
  await ravi.press('Aanmelden');
  await ravi.see('Naam, wachtwoord of code klopt niet');
  await enrol(ravi, 'receptie-2', first, second, 'een nieuwe lange zin voor Ravi');
  await ravi.see('Uw account is in gebruik');
  town.people.get('receptie-2').secret = (await ravi.page.locator('.secret').innerText()).replace(/\s/g, '');
  await ravi.go('/sign-in');
  await ravi.fill({ login: 'receptie-2', password: 'een nieuwe lange zin voor Ravi', code: town.code('receptie-2') });
  await ravi.press('Aanmelden');
  assert.equal(ravi.url, '/desk');
});
