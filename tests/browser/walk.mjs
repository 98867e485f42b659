// SPDX-License-Identifier: EUPL-1.2
// Somebody who does a task through the pages, counted: what is clicked, what is typed, and how many pages it takes. Every click and key
// goes through here, so that the figures in WALK.md are what a person does and not what a test does.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { root, Town } from './town.mjs';

const file = path.join(root, 'tests/browser/WALK.md');
const columns = ['clicks', 'keys', 'pages'];

export class Walk {
  // At a browser of their own, before the first page: not signed in, nothing remembered.
  static async begin(browser, station, town, login, name) {
    const person = await browser.person(station);
    const walk = new Walk();
    Object.assign(walk, { person, page: person.page, town, login, name, clicks: 0, keys: 0, pages: 0 });
    // Every document that comes up is a page; what only follows a link within one is not.
    person.page.setDefaultTimeout(10000);
    person.page.on('domcontentloaded', () => { walk.pages += 1; });
    await person.go('/');
    await walk.#ready();
    return walk;
  }

  // ---- With the mouse.

  // A button or a link that leads to another page, by what it says.
  async press(name, role = 'button') { await this.#leave(() => this.page.getByRole(role, { name }).first().click()); this.clicks += 1; }
  async follow(name) { await this.press(name, 'link'); }
  // One that stays on the page.
  async touch(name) { await this.page.getByRole('button', { name }).first().click(); this.clicks += 1; }
  // Ticks or chooses; `within` names the group of questions.
  async tick(label, within) {
    const place = within ? this.page.getByRole('group', { name: within }) : this.page;
    await place.getByLabel(label).first().check();
    this.clicks += 1;
  }
  // From a list: one click opens it, one chooses.
  async choose(label, option) {
    const list = this.page.getByLabel(label).first();
    await list.selectOption({ label: option });
    this.clicks += 2;
  }
  // A file from one's computer: one click for the window, one for the file, one for its "Open".
  async pick(label, what) {
    const [chooser] = await Promise.all([this.page.waitForEvent('filechooser'), this.page.getByLabel(label).first().click()]);
    await chooser.setFiles(what);
    this.clicks += 3;
  }

  // ---- With the keyboard.

  // Into a field; a click when it has not the focus.
  async type(label, text) {
    const field = this.page.getByLabel(label).first();
    await field.waitFor();
    if (!await field.evaluate((e) => e === document.activeElement)) { await field.click(); this.clicks += 1; }
    await this.keyboard(text);
  }
  // Where the focus is.
  async keyboard(text) { await this.page.keyboard.type(text); this.keys += [...text].length; }
  async key(name) { await this.page.keyboard.press(name); this.keys += 1; }
  async enter() { await this.#leave(() => this.page.keyboard.press('Enter')); this.keys += 1; }

  // The focus stands in the name; from there it goes with the keyboard alone.
  async signIn() {
    await this.type('Naam', this.login);
    await this.key('Tab');
    await this.keyboard(Town.password);
    await this.key('Tab');
    await this.keyboard(this.town.code(this.login));
    await this.enter();
    assert.notEqual(this.person.url, '/sign-in', await this.person.text());
  }

  see(text) { return this.person.see(text, 10000); }
  picture(name) { return this.person.picture(name); }
  // The task is done.
  async end() {
    Walk.walked.push(this);
    await this.person.context.close();
  }

  async #leave(what) {
    const next = this.page.waitForEvent('domcontentloaded', { timeout: 15000 });
    await Promise.all([next, what()]);
    await this.page.waitForLoadState();
    await this.#ready();
  }
  // Where a page says that one can type at once, one can.
  async #ready() {
    await this.page.waitForFunction(() => {
      const field = document.querySelector('[data-autofocus]');
      return !field || field === document.activeElement;
    });
  }
}
Walk.walked = [];

// ---- What is kept.

const head = `<!-- SPDX-License-Identifier: EUPL-1.2 -->
# The recorded walk

What the tasks take, from the first page to the last, signing in included: clicks, keys typed (each character, Tab and Enter) and
pages shown. walk.test.mjs does each of them in a browser, through the pages alone, and fails when one has become longer than it
stands here. \`WAARBORG_WALK=write tests/browser/run tests/browser/walk.test.mjs\` writes this table anew.

| task | who | clicks | keys | pages |
|---|---|---:|---:|---:|
`;
const row = (walk) => `| ${walk.name} | ${walk.login} | ${walk.clicks} | ${walk.keys} | ${walk.pages} |\n`;

// Against the file, or into it. Says of each task what became longer.
export function compare() {
  const text = head + Walk.walked.map(row).join('');
  if (process.env.WAARBORG_WALK === 'write') { fs.writeFileSync(file, text); return; }
  const kept = new Map(fs.readFileSync(file, 'utf8').split('\n').filter((l) => /^\| .*\d \|$/.test(l)).map((l) => l.slice(2, -2).split(' | ')).map((c) => [`${c[0]}, ${c[1]}`, c.slice(2).map(Number)]));
  const faults = [];
  for (const walk of Walk.walked) {
    const before = kept.get(`${walk.name}, ${walk.login}`);
    kept.delete(`${walk.name}, ${walk.login}`);
    if (!before) { faults.push(`"${walk.name}" of ${walk.login} does not stand in WALK.md`); continue; }
    columns.forEach((column, i) => {
      if (walk[column] > before[i]) faults.push(`"${walk.name}" of ${walk.login} became longer: ${walk[column]} ${column}, where it took ${before[i]}`);
      if (walk[column] < before[i]) console.log(`# "${walk.name}" of ${walk.login} became shorter: ${walk[column]} ${column}, where it took ${before[i]}; keep that with WAARBORG_WALK=write`);
    });
  }
  for (const task of kept.keys()) faults.push(`${task}: stands in WALK.md, and was not walked`);
  assert.deepEqual(faults, [], 'mend the page; or, when it must be so, write WALK.md anew with WAARBORG_WALK=write');
}
