// SPDX-License-Identifier: EUPL-1.2
// What a browser does between being sent to the sign-in service and coming back, without a screen.
//   node browser.mjs ADDRESS LOGIN
// Signs in as LOGIN and prints state, code and iss with which it is sent back, a line each ("-" for none).
const jar = new Map();

async function visit(url, options = {}) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const response = await fetch(url, { ...options, redirect: 'manual', headers: { ...options.headers, cookie } });
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value === '') jar.delete(name);
    else jar.set(name, value);
  }
  return response;
}

const [address, login] = process.argv.slice(2);
const home = new URL(address).origin;
let url = address;
let response = await visit(url);
for (let steps = 0; steps < 12; ++steps) {
  const to = response.headers.get('location');
  if (to === null) {
    const page = await response.text();
    const form = /<form method="post" action="([^"]+)"/.exec(page);
    if (response.status !== 200 || form === null) throw new Error(`${url}: ${response.status} ${page.slice(0, 500)}`);
    url = new URL(form[1], url).href;
    response = await visit(url, { method: 'POST', body: new URLSearchParams({ login, password: 'x' }) });
    continue;
  }
  url = new URL(to, url).href;
  const back = new URL(url);
  if (back.origin !== home) {
    for (const name of ['state', 'code', 'iss']) console.log(back.searchParams.get(name) ?? '-');
    process.exit(0);
  }
  response = await visit(url);
}
throw new Error('sent round in circles');
