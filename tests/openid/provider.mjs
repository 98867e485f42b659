// SPDX-License-Identifier: EUPL-1.2
// A municipality's sign-in service for the tests: the certified library oidc-provider, on this machine only.
//   node provider.mjs CLIENTS.json
// CLIENTS.json holds the client's metadata ({"client_id": ..., "jwks": ...}). Prints its issuer when it listens, and ends
// with its standard input, so that no test leaves it behind. Anybody signs in with any password, but "niemand", who is
// turned away; what the claims say of them stands in PEOPLE.
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { register } from 'node:module';

// What the library takes for granted and Debian 12's node 18 has not. So it is loaded afterwards.
globalThis.crypto ??= crypto.webcrypto;
if (crypto.hash === undefined) {
  const module = (text) => `data:text/javascript,${encodeURIComponent(text)}`;
  const withHash = module(`
    import { createHash } from 'node:crypto';
    export * from 'node:crypto';
    export const hash = (algorithm, data, encoding = 'hex') => createHash(algorithm).update(data).digest(encoding);`);
  register(module(`
    export const resolve = (name, context, next) =>
      name === 'node:crypto' && context.parentURL.includes('/oidc-provider/')
        ? { url: ${JSON.stringify(withHash)}, shortCircuit: true } : next(name, context);`));
}
URL.parse ??= (text, base) => {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
};
const { Provider } = await import('oidc-provider');

const PEOPLE = {
  receptie: { groups: ['waarborg-balie'] },
  toezicht: { groups: ['waarborg-balie', 'waarborg-toezicht'] },
  // Has four roles here.
  dubbelrol: { groups: ['waarborg-leiding'] },
  // Has no account.
  vreemde: { groups: ['waarborg-balie'] },
  // Claims a role that the account has not.
  teamleider: { groups: ['waarborg-leiding', 'waarborg-beheer'] },
  // Is in no group.
  jurist: { groups: [] },
};

const client = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const server = http.createServer();
await new Promise((resolve) => server.listen(0, 'localhost', resolve));
const issuer = `http://localhost:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [client],
  claims: { openid: ['sub', 'acr', 'auth_time'], groups: ['groups'], profile: ['preferred_username'] },
  scopes: ['openid', 'profile', 'groups'],
  conformIdTokenClaims: false,
  acrValues: ['urn:waterdam:substantieel'],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  cookies: { keys: ['only for tests'] },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  async findAccount(ctx, id) {
    return { accountId: id, claims: async () => ({ sub: id, preferred_username: id, ...PEOPLE[id] }) };
  },
});

// What goes wrong inside is for whoever reads the test's output.
provider.on('server_error', (ctx, error) => console.error(error));

// The page of a sign-in service: a form with a name, and no questions about consent.
async function interact(request, response) {
  const { uid, prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login' && request.method === 'GET') {
    response.setHeader('content-type', 'text/html');
    response.end(`<form method="post" action="/interaction/${uid}"><input name="login"><input name="password"><button>Verder</button></form>`);
    return;
  }
  if (prompt.name === 'login') {
    let body = '';
    for await (const chunk of request) body += chunk;
    const accountId = new URLSearchParams(body).get('login');
    if (accountId === 'niemand') {
      await provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'turned away' });
      return;
    }
    const login = { accountId, acr: 'urn:waterdam:substantieel', remember: false };
    await provider.interactionFinished(request, response, { login });
    return;
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

const callback = provider.callback();
server.on('request', (request, response) => {
  if (!request.url.startsWith('/interaction/')) return callback(request, response);
  return interact(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(error.message);
  });
});
console.log(issuer);
process.stdin.on('end', () => process.exit(0)).resume();
