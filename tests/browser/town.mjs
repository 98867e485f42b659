// SPDX-License-Identifier: EUPL-1.2
// A fictitious municipality with a real core, real stations and a real browser. Made from deploy/example, once; each test file works on a copy.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const bin = (name) => path.join(root, 'build/bin', name);
const password = 'een lange zin voor de proef';
const run = promisify(execFile);
export const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

// Waits until `what` gives something true; fails with `why` after `limit` milliseconds.
export async function until(why, what, limit = 8000) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await what();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain: ${why}`);
    await sleep(50);
  }
}

// A port of localhost that nobody uses.
export async function freePort() {
  const server = net.createServer();
  await new Promise((done) => { server.listen(0, 'localhost', done); });
  const { port } = server.address();
  await new Promise((done) => { server.close(done); });
  return port;
}

function totp(secret, ms) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(ms / 30000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}

// A line between a station and the core that can be cut, or go silent.
class Line {
  constructor(port) {
    this.sockets = new Set();
    this.state = 'open';
    this.server = net.createServer((here) => {
      if (this.state === 'cut') { here.destroy(); return; }
      const there = net.connect(port, 'localhost');
      for (const s of [here, there]) {
        this.sockets.add(s);
        s.on('error', () => {});
        s.on('close', () => { here.destroy(); there.destroy(); this.sockets.delete(s); });
      }
      here.on('data', (d) => { if (this.state === 'open') there.write(d); });
      there.on('data', (d) => { if (this.state === 'open') here.write(d); });
    });
  }
  async listen() {
    await new Promise((done) => { this.server.listen(0, 'localhost', done); });
    return this.server.address().port;
  }
  cut() { this.state = 'cut'; for (const s of this.sockets) s.destroy(); }
  // Nothing comes through any more, and nobody is told.
  silence() { this.state = 'silent'; }
  // What was silent is lost; new connections go through.
  mend() { this.state = 'open'; for (const s of this.sockets) s.destroy(); }
  close() { this.cut(); this.server.close(); }
}

// Stops each of these, also when another says that something was wrong: what goes on running keeps a test from ending.
export async function stopAll(...parts) {
  let wrong;
  for (const part of parts) {
    try { await part?.stop(); } catch (error) { wrong ??= error; }
  }
  if (wrong) throw wrong;
}

export class Town {
  static built() {
    const folder = process.env.WAARBORG_TOWN;
    if (!folder) throw new Error('run these tests with tests/browser/run');
    return folder;
  }

  // A copy of the town with its core running. `config` makes the core's configuration of the town's own; `now` is what the clock says.
  static async start({ config, now } = {}) {
    const town = new Town();
    town.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waarborg-town-'));
    execFileSync('cp', ['-a', `${Town.built()}/.`, town.folder]);
    town.people = new Map(fs.readFileSync(path.join(town.folder, 'people'), 'utf8').trim().split('\n').map((l) => l.split(' ')).map(([login, id, secret]) => [login, { id, secret }]));
    town.steps = new Map(fs.readFileSync(path.join(town.folder, 'steps'), 'utf8').trim().split('\n').map((l) => l.split(' ')).map(([login, step]) => [login, Number(step)]));
    town.stations = [];
    town.lines = [];
    if (config) {
      const file = path.join(town.folder, 'waarborgd.toml');
      fs.writeFileSync(file, config(fs.readFileSync(file, 'utf8')));
    }
    if (now) town.clock(now);
    await town.startCore();
    return town;
  }

  async startCore() {
    const portFile = path.join(this.folder, 'port');
    fs.rmSync(portFile, { force: true });
    const log = fs.openSync(path.join(this.folder, 'log'), 'a');
    if (this.port) {
      // The stations know the core by its port: the same again.
      const config = path.join(this.folder, 'waarborgd.toml');
      fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replace(/^listen = .*$/m, `listen = "localhost:${this.port}"`));
    }
    this.core = spawn(bin('waarborgd-test'), ['run', '--config', 'waarborgd.toml', '--test-clock', 'clock', '--port-file', 'port'], { cwd: this.folder, stdio: ['ignore', log, log] });
    const { core } = this;
    core.once('exit', (code) => { if (this.core === core && code !== 0) console.log(`# the core ended with ${code}: ${fs.readFileSync(path.join(this.folder, 'log'), 'utf8').slice(-600)}`); });
    await until('the core starts', () => fs.existsSync(portFile) && fs.readFileSync(portFile, 'utf8').trim(), 20000);
    this.port = Number(fs.readFileSync(portFile, 'utf8'));
  }
  async stopCore(signal = 'SIGTERM') {
    if (!this.core || this.core.exitCode !== null || this.core.signalCode !== null) { this.core = null; return; }
    const gone = new Promise((done) => { this.core.once('exit', done); });
    this.core.kill(signal);
    await gone;
    this.core = null;
  }

  now() { return Number(fs.readFileSync(path.join(this.folder, 'clock')).readBigInt64LE(0)); }
  // "2026-03-02T14:05", "+30s", "+1d"; or "now", the time of this machine.
  clock(text) {
    const moment = text === 'now' ? new Date().toLocaleString('sv-SE', { timeZone: 'Europe/Amsterdam' }).replace(' ', 'T') : text;
    execFileSync(bin('waarborg-tool'), ['clock', path.join(this.folder, 'clock'), moment]);
  }

  // The next code that the core will accept of this person; moves the clock when it must.
  code(login) {
    const someone = this.people.get(login);
    if (!someone) throw new Error(`nobody is called ${login}`);
    const now = Math.floor(this.now() / 30000);
    const step = Math.max((this.steps.get(login) ?? 0) + 1, now - 1);
    if (step > now + 1) this.clock(`+${(step - now - 1) * 30}s`);
    this.steps.set(login, step);
    return totp(someone.secret, step * 30000);
  }

  // Runs a command of the command line as somebody at a workplace; returns what it prints as JSON, or throws.
  async run(person, station, ...words) {
    const folder = path.join(this.folder, 'pki/stations', station);
    fs.writeFileSync(path.join(folder, 'server'), `localhost:${this.port}`);
    const env = { ...process.env, WAARBORG_STATION: folder, WAARBORG_SESSION: path.join(this.folder, `session-${person}-${station}`) };
    try {
      await run(bin('waarborg'), ['session', 'show'], { env });
    } catch {
      await run(bin('waarborg'), ['session', 'login', '--name', person, '--password', password, '--code', this.code(person)], { env });
    }
    const { stdout } = await run(bin('waarborg'), ['--json', ...words], { env });
    return stdout.trim() ? JSON.parse(stdout) : {};
  }

  // A workplace with its pages; `line` can be cut. Its address is `url`: of a free port of localhost, or `http://${at}`, such as
  // "balie.waarborg.localhost:8123".
  async station(name, options = [], at = '') {
    const line = new Line(this.port);
    const port = await line.listen();
    const folder = path.join(this.folder, `station-${name}-${this.stations.length}`);
    execFileSync('cp', ['-a', path.join(this.folder, 'pki/stations', name), folder]);
    fs.writeFileSync(path.join(folder, 'server'), `localhost:${port}`);
    const portFile = path.join(folder, 'address');
    const log = fs.openSync(path.join(folder, 'log'), 'a');
    const process_ = spawn(bin('waarborg-station'), ['--station', folder, '--listen', `localhost:${at.split(':')[1] ?? 0}`, '--origin', `http://${at || 'localhost'}`, '--port-file', portFile, ...options], { stdio: ['ignore', log, log] });
    const url = await until(`station ${name} serves`, () => fs.existsSync(portFile) && fs.readFileSync(portFile, 'utf8').trim());
    const station = {
      name, url, line, folder, process: process_,
      async stop() {
        if (process_.exitCode !== null) return;
        const gone = new Promise((done) => { process_.once('exit', done); });
        process_.kill('SIGTERM');
        await gone;
      },
    };
    this.stations.push(station);
    this.lines.push(line);
    return station;
  }

  // For a station that checks the log: the file with the log's key, and the folder in which it is published.
  logKey() {
    const file = path.join(this.folder, 'log.vkey');
    fs.writeFileSync(file, execFileSync(bin('waarborgd-test'), ['log-key', '--config', 'waarborgd.toml'], { cwd: this.folder }));
    return file;
  }
  logFolder() {
    return path.resolve(this.folder, /^data_folder = "(.*)"$/m.exec(fs.readFileSync(path.join(this.folder, 'waarborgd.toml'), 'utf8'))[1], 'published');
  }

  async stop() {
    for (const station of this.stations) await station.stop();
    for (const line of this.lines) line.close();
    if (this.core && this.core.exitCode !== null) throw new Error(`the core ended by itself: ${fs.readFileSync(path.join(this.folder, 'log'), 'utf8').slice(-2000)}`);
    await this.stopCore();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  // A drawn face, as a file.
  portrait(number) {
    const file = path.join(this.folder, `portrait-${number}.jpg`);
    execFileSync(bin('waarborg-tool'), ['portrait', String(number), file]);
    return file;
  }

  // ---- Pieces of a story, told by the command line.

  async proposedBan({ given = 'Jan Pieter', prefix = 'de', surname = 'Vries', born = '1985-03-12', where = 'gemeentehuis,sporthal', until: last = '2026-06-01' } = {}) {
    const words = ['ban', 'propose', '--given', given, '--surname', surname, '--born', born, '--established', '--ground', 'fysiek-medewerker', '--measure', 'access-ban', '--where', where,
      '--from', '2026-03-02', '--until', last, '--reasons', 'Heeft een baliemedewerker geduwd.', '--department', 'publiekszaken', '--channels', 'telefoon, post, afspraak via T&V'];
    if (prefix) words.push('--prefix', prefix);
    return (await this.run('teamleider', 'kantoor-1', ...words)).receipt.id;
  }
  async activeBan(who = {}) {
    const ban = await this.proposedBan(who);
    await this.run('secretaris', 'kantoor-1', 'ban', 'advise', '--ban', ban, '--advice', 'Drie maanden is passend.');
    await this.run('collegesecretariaat', 'kantoor-1', 'ban', 'approve', '--ban', ban, '--number', '2026-118', '--date', '2026-03-02');
    return ban;
  }
  async consentedBan(who = {}) {
    const ban = await this.activeBan(who);
    await this.run('teamleider', 'kantoor-1', 'photo', 'inform', '--ban', ban, '--how', 'stop-talk', '--on', '2026-03-02');
    await this.run('toezicht', 'kantoor-1', 'photo', 'request', '--ban', ban);
    await this.run('teamleider-sport', 'kantoor-1', 'photo', 'consent', '--ban', ban, '--basis', 'avg-6-1-e', '--answer', 'noodzaak|yes|Twee locaties.', '--answer', 'evenredig|yes|Letsel.', '--answer', 'geinformeerd|yes|In het gesprek.');
    return ban;
  }
  async bannedWithPhoto(who = {}, portrait = 3) {
    const ban = await this.consentedBan(who);
    await this.run('burgerzaken', 'kantoor-1', 'photo', 'supply', '--ban', ban, '--file', this.portrait(portrait), '--source', 'reisdocument', '--basis', 'avg-6-1-e', '--basis-checked', '--person-checked', '--photo-checked');
    await this.run('toezicht', 'kantoor-1', 'photo', 'release', '--ban', ban, '--to', 'receptie,sporthal');
    return ban;
  }
  async lift(ban) { await this.run('collegesecretariaat', 'kantoor-1', 'ban', 'lift', '--ban', ban, '--reason', 'Het tweede gesprek was goed.', '--number', '2026-140', '--date', '2026-03-02'); }
}
Town.password = password;
