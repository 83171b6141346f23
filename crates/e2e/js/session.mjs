// Tests the browser client of docs/integrating.md on the deployed stacks. Tabs are sessions that share a storage. As in
// a browser, a change in one tab fires an event in the others.
//
//   node session.mjs CLIENT AUTH PASSWORDLESS_AUTH SMS EMAIL PHONE
//
// SMS is the URL of the messages sent to PHONE.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const [client, auth, passwordlessAuth, sms, email, phone] = process.argv.slice(2);
const { Session } = await import(client);
const { fetch } = globalThis;
const { now } = Date;

// The Web Locks of a browser.
const locks = new Map();
Object.defineProperty(globalThis, 'navigator', {
  value: {
    locks: {
      request(name, work) {
        const result = (locks.get(name) ?? Promise.resolve()).then(() => work());
        locks.set(name, result.catch(() => {}));
        return result;
      },
    },
  },
});

/** The tabs of a browser. */
class Browser {
  items = new Map();
  tabs = [];

  open(url = auth) {
    const tab = { changes: 0 };
    const notify = (key, newValue) => this.tabs.filter((other) => other !== tab)
      .forEach((other) => setTimeout(() => other.listener({ key, newValue })));
    const storage = {
      getItem: (key) => this.items.get(key) ?? null,
      setItem: (key, value) => { this.items.set(key, value); notify(key, value); },
      removeItem: (key) => { if (this.items.delete(key)) notify(key, null); },
    };
    globalThis.addEventListener = (type, listener) => {
      assert.equal(type, 'storage');
      tab.listener = listener;
    };
    tab.session = new Session(url, storage);
    tab.session.addEventListener('change', () => { tab.changes += 1; });
    this.tabs.push(tab);
    return tab;
  }

  get refreshToken() { return this.items.get('refreshToken'); }
}

/** The requests to a route while `work` runs. `answer` may replace the answer of the stack. */
async function requests(route, work, answer = () => undefined) {
  const sent = [];
  globalThis.fetch = async (url, request) => {
    if (!url.endsWith(route)) return fetch(url, request);
    sent.push({ ...request, json: request.body && JSON.parse(request.body) });
    return answer(request) ?? fetch(url, request);
  };
  try {
    await work();
  } finally {
    globalThis.fetch = fetch;
  }
  return sent;
}

const unavailable = () => new Response('{"error":{"type":"ServiceUnavailableException","message":"Later."}}', {
  status: 503, headers: { 'Retry-After': '7' },
});

/** Moves the clock, so that access tokens expire. */
let hours = 0;
Date.now = () => now() + hours * 3600_000;
const anHourPasses = () => { hours += 1; };

let password = 'Sup3r!secret';
const browser = new Browser();
const { session } = browser.open();

test('signs up and signs in', async () => {
  await session.signUp(email, password);
  await assert.rejects(session.signIn(email, password), { status: 403, type: 'UserNotConfirmedException' });
  await session.resendCode(email);
  await session.confirmSignUp(email, '123456');
  await assert.rejects(session.signIn(email, 'wrong'), { status: 401, type: 'NotAuthorizedException' });
  assert.equal(session.signedIn, false);
  await assert.rejects(session.accessToken(), { status: 401 });
  await session.signIn(email, password);
  assert.equal(session.signedIn, true);
  assert.equal((await session.account()).username, email);
});

test('stays signed in after a reload', async () => {
  const reloaded = browser.open().session;
  assert.equal((await reloaded.account()).username, email);
});

test('keeps a token until it expires', async () => {
  const sent = await requests('/token/refresh', async () => {
    const token = await session.accessToken();
    assert.equal(await session.accessToken(), token);
    anHourPasses();
    assert.notEqual(await session.accessToken(), token);
  });
  assert.equal(sent.length, 1);
});

test('refreshes once for all callers', async () => {
  anHourPasses();
  const sent = await requests('/token/refresh', async () => {
    const [one, other] = await Promise.all([session.accessToken(), session.accessToken()]);
    assert.equal(one, other);
  });
  assert.equal(sent.length, 1);
});

test('refreshes in one tab after the other', async () => {
  const other = browser.open().session;
  const before = browser.refreshToken;
  let atOnce = 0;
  anHourPasses();
  const sent = await requests('/token/refresh', () => Promise.all([session.accessToken(), other.accessToken()]), (request) => {
    atOnce += 1;
    assert.equal(atOnce, 1);
    return fetch(`${auth}/token/refresh`, request).finally(() => { atOnce -= 1; });
  });
  const [first, second] = sent.map((request) => request.json.refreshToken);
  assert.equal(first, before);
  assert.notEqual(second, before);
  assert.notEqual(second, browser.refreshToken);
});

test('repeats a request that the back end rejects once', async () => {
  const stale = await session.accessToken();
  const backEnd = (request) => new Response(request.body, {
    status: request.headers.Authorization === `Bearer ${stale}` ? 401 : 200,
  });
  const sent = await requests('/orders', async () => {
    const response = await session.fetch('https://api.example.com/orders', { method: 'PUT', body: '[1]' });
    assert.deepEqual([response.status, await response.text()], [200, '[1]']);
  }, backEnd);
  assert.equal(sent.length, 2);
});

test('survives a service that does not answer', async () => {
  anHourPasses();
  const error = { status: 503, retryAfter: 7, type: 'ServiceUnavailableException' };
  await requests('/token/refresh', () => assert.rejects(session.accessToken(), error), unavailable);
  assert.equal(session.signedIn, true);
  await session.accessToken();
});

test('signs out in every tab', async () => {
  const other = browser.open();
  await other.session.accessToken();
  const { refreshToken } = browser;
  const changes = other.changes;
  await session.signOut();
  assert.equal(browser.refreshToken, undefined);
  const body = JSON.stringify({ refreshToken });
  assert.equal((await fetch(`${auth}/token/refresh`, { method: 'POST', body })).status, 401);
  await sleep(10);
  assert.equal(other.changes, changes + 1);
  await assert.rejects(other.session.accessToken(), { status: 401 });
});

test('follows another user who signs in in another tab', async () => {
  await session.signIn(email, password);
  const second = email.replace('@', '.second@');
  await session.signUp(second, password);
  await session.confirmSignUp(second, '123456');
  await browser.open().session.signIn(second, password);
  await sleep(10);
  assert.equal((await session.account()).username, second);
});

test('forgets the tokens if sign-out fails', async () => {
  for (const signOut of ['signOut', 'signOutEverywhere']) {
    await session.signIn(email, password);
    await requests('/token/revoke', () => assert.rejects(session[signOut](), { status: 503 }), unavailable);
    assert.equal(browser.refreshToken, undefined);
    await assert.rejects(session.accessToken(), { status: 401 });
  }
});

test('ends when another device signs out everywhere', async () => {
  const { session: elsewhere } = new Browser().open();
  await elsewhere.signIn(email, password);
  await session.signIn(email, password);
  await elsewhere.signOutEverywhere();
  await assert.rejects(session.account(), { status: 401 });
  assert.equal(session.signedIn, false);
});

test('resets a forgotten password', async () => {
  password = 'N3w!secret';
  await session.forgotPassword(email);
  await session.resetPassword(email, '654321', password);
  await session.signIn(email, password);
});

test('changes the password', async () => {
  await session.changePassword(password, 'L4st!secret');
  password = 'L4st!secret';
  assert.equal(session.signedIn, false);
  await session.signIn(email, password);
});

test('deletes the account', async () => {
  await session.deleteAccount(email);
  assert.equal(session.signedIn, false);
  await assert.rejects(session.signIn(email, password), { type: 'UserNotFoundException' });
});

test('signs in with a code', async () => {
  const passwordless = new Browser().open(passwordlessAuth).session;
  await passwordless.signUp(phone);
  await passwordless.confirmSignUp(phone, '123456');
  await passwordless.requestCode(phone);
  const [code] = JSON.stringify(await (await fetch(sms)).json()).match(/(?<=code is )\d{6}(?!.*code is)/);
  const wrong = code === '000000' ? '000001' : '000000';
  await assert.rejects(passwordless.signInWithCode(wrong), { status: 401, type: 'CodeMismatchException' });
  await passwordless.signInWithCode(code);
  assert.equal((await passwordless.account()).username, phone);
});
