// SPDX-License-Identifier: EUPL-1.2
// Security keys: asks the station for a challenge, has the key sign it, puts what came of it into the form and sends that. What is signed
// is checked by the core and nowhere else.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

// Why nothing came of it, in the page's words for the name of what was thrown.
function refuse(form, name) {
  const words = [...form.querySelectorAll('template[data-webauthn-said]')];
  const said = words.find((w) => w.dataset.webauthnSaid === name) ?? words.at(-1);
  form.querySelector('[data-webauthn-problem]').replaceChildren(said.content.cloneNode(true));
}

// `parse` makes elements of a fragment of this station.
async function challenge(form, path, parse) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) fields.append(name, value);
  const answer = await fetch(path, { method: 'POST', body: fields, headers: { 'X-Waarborg-Fragment': '1' } });
  if (answer.status === 401) { location.replace('/sign-in?ended=1'); return null; }
  if (!answer.ok) throw new Error(String(answer.status));
  const content = parse(await answer.text());
  const found = content.querySelector('[data-challenge]');
  if (!found) form.querySelector('[data-webauthn-problem]').replaceChildren(content);
  return found?.dataset;
}

async function use(form, parse) {
  const c = await challenge(form, form.dataset.webauthn, parse);
  if (!c) return;
  const key = await navigator.credentials.get({ publicKey: { challenge: bytes(c.challenge), rpId: c.rpId, timeout: Number(c.timeout), userVerification: 'required', allowCredentials: [] } });
  form.elements.credential_id.value = text(key.rawId);
  form.elements.authenticator_data.value = text(key.response.authenticatorData);
  form.elements.client_data_json.value = text(key.response.clientDataJSON);
  form.elements.signature.value = text(key.response.signature);
  form.elements.user_handle.value = text(key.response.userHandle ?? new ArrayBuffer(0));
  form.submit();
}

async function make(form, parse) {
  const c = await challenge(form, form.dataset.webauthnNew, parse);
  if (!c) return;
  // It was good for this once.
  form.elements.code.value = '';
  const list = (words) => (words ? words.split(' ') : []);
  const key = await navigator.credentials.create({
    publicKey: {
      challenge: bytes(c.challenge), timeout: Number(c.timeout), attestation: 'none',
      rp: { id: c.rpId, name: c.rpName },
      user: { id: bytes(c.user), name: c.userName, displayName: c.userDisplayName },
      pubKeyCredParams: list(c.algorithms).map((alg) => ({ type: 'public-key', alg: Number(alg) })),
      excludeCredentials: list(c.exclude).map((id) => ({ type: 'public-key', id: bytes(id) })),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    },
  });
  form.elements.attestation_object.value = text(key.response.attestationObject);
  form.elements.client_data_json.value = text(key.response.clientDataJSON);
  form.submit();
}

export function begin(form, parse) {
  form.hidden = false;
  form.querySelector('[data-autofocus]')?.focus();
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    // The key is being asked already.
    if (form.getAttribute('aria-busy')) return;
    form.setAttribute('aria-busy', 'true');
    form.querySelector('[data-webauthn-problem]').replaceChildren();
    try {
      await (form.dataset.webauthn ? use : make)(form, parse);
    } catch (error) {
      refuse(form, error.name);
    } finally {
      form.removeAttribute('aria-busy');
    }
  });
}
