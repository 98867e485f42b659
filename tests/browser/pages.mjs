// SPDX-License-Identifier: EUPL-1.2
// A browser that notices what a person may not: blocked scripts and styles, errors, pages that scroll sideways, what axe finds.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { Town } from './town.mjs';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const screenshots = process.env.WAARBORG_SCREENSHOTS;

export class Browser {
  static async start() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    browser.people = [];
    return browser;
  }
  async stop() {
    const faults = this.people.flatMap((p) => p.faults);
    await this.chromium.close();
    assert.deepEqual(faults, [], 'nothing was blocked and no script failed');
  }

  // Everybody signs out and goes: a workplace has only so many live lists.
  async leave() {
    for (const person of this.people) await person.leave();
  }

  // Somebody at a browser of their own. Every fault of every page they see is kept; `expected` says which are meant to be.
  async person(station, { viewport = { width: 1280, height: 800 }, script = true, language = 'nl', expected = [] } = {}) {
    const context = await this.chromium.newContext({ viewport, javaScriptEnabled: script, locale: language, ignoreHTTPSErrors: true });
    const person = new Person(station, context, expected);
    this.people.push(person);
    await person.open();
    return person;
  }
}

export class Person {
  constructor(station, context, expected) { this.station = station; this.context = context; this.expected = expected; this.faults = []; }

  async open() {
    this.page = await this.context.newPage();
    const fault = (text) => { if (!this.expected.some((e) => e.test(text))) this.faults.push(`${this.page.url()}: ${text}`); };
    // A violation of the policy, a failed request and an exception all end up on the console or here.
    this.page.on('console', (m) => { if (m.type() === 'error' || /Content Security Policy|Trusted/.test(m.text())) fault(`${m.text()} ${m.location().url}`); });
    this.page.on('pageerror', (e) => fault(e.message));
  }
  async leave() {
    if (this.gone) return;
    this.gone = true;
    const button = this.page.getByRole('button', { name: /^(Afmelden|Sign out)$/ });
    if (await button.count().catch(() => 0)) await button.first().click({ timeout: 3000 }).catch(() => {});
    await this.context.close();
  }
  async go(where) { await this.page.goto(this.station.url + where); }
  get url() { return this.page.url().slice(this.station.url.length); }
  // Presses a button or follows a link by what it says, and waits for the page that comes of it.
  async press(name) { await this.page.getByRole('button', { name }).first().click(); await this.page.waitForLoadState(); }
  async follow(name) { await this.page.getByRole('link', { name }).first().click(); await this.page.waitForLoadState(); }
  async fill(fields) { for (const [name, value] of Object.entries(fields)) await this.page.locator(`[name="${name}"]:not([type=hidden])`).first().fill(value); }
  text() { return this.page.locator('body').innerText(); }
  // Waits until the page, or this piece of it, says so; what the page said instead is in the error.
  async see(text, limit = 5000, piece = 'body') {
    try {
      await this.page.locator(piece).getByText(text).first().waitFor({ timeout: limit });
    } catch (error) {
      throw new Error(`${this.url} never said "${text}", but:\n${await this.text().catch(() => '(nothing)')}`, { cause: error });
    }
  }

  async signIn(town, login) {
    await this.go('/sign-in');
    await this.fill({ login, password: Town.password, code: town.code(login) });
    await this.press('Aanmelden');
    assert.notEqual(this.url, '/sign-in', await this.text());
  }

  // What holds for every page: no sideways scrolling at 320 px and at twice the size of text, nothing that axe finds. `name` is the
  // name of its picture.
  async check(name) {
    const size = this.page.viewportSize();
    await this.picture(name);
    for (const [width, zoom] of [[320, 1], [1280, 2]]) {
      await this.page.setViewportSize({ width, height: 800 });
      await this.page.evaluate((z) => { document.documentElement.style.fontSize = z === 1 ? '' : `${z * 100}%`; }, zoom).catch(() => {});
      const wide = await this.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(wide[0] <= wide[1], `${name} scrolls sideways at ${width} px, text ${zoom * 100}%: ${wide}`);
    }
    await this.page.evaluate(() => { document.documentElement.style.fontSize = ''; });
    await this.page.setViewportSize(size);
    assert.deepEqual(await this.axe(), [], `axe on ${name}`);
  }
  // One for the page's whole life: virtual security keys go with the first session that ends.
  async devtools() { this.cdp ??= await this.context.newCDPSession(this.page); return this.cdp; }
  async axe() {
    // Into a world of its own: the page's policy lets no script in.
    const cdp = await this.devtools();
    const { frameTree } = await cdp.send('Page.getFrameTree');
    const { executionContextId } = await cdp.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
    await cdp.send('Runtime.evaluate', { contextId: executionContextId, expression: axe });
    const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', {
      contextId: executionContextId, awaitPromise: true, returnByValue: true,
      expression: "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')))",
    });
    if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }
  async picture(name) {
    if (screenshots) await this.page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });
  }
}
