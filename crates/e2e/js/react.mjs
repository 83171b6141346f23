// Tests the React example of docs/integrating.md on a deployed stack.
//
//   node react.mjs CLIENT APP AUTH USERNAME PASSWORD

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createElement } from 'react';
import { act, create } from 'react-test-renderer';

const [client, app, auth, username, password] = process.argv.slice(2);
const [{ Session }, { App }] = await Promise.all([import(client), import(app)]);

// The parts of a browser that the example uses.
const items = new Map();
const storage = {
  getItem: (key) => items.get(key) ?? null,
  setItem: (key, value) => items.set(key, value),
  removeItem: (key) => items.delete(key),
};
Object.defineProperty(globalThis, 'navigator', { value: { locks: { request: async (_, work) => work() } } });
globalThis.addEventListener = () => {};
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

test('signs in and out', async () => {
  const session = new Session(auth, storage);
  let page;
  await act(async () => { page = create(createElement(App, { session })); });
  const shown = () => JSON.stringify(page.toJSON());
  const until = async (text) => {
    for (let times = 0; times < 100 && !shown().includes(text); times += 1) await act(() => sleep(100));
    assert.ok(shown().includes(text), `${text}: ${shown()}`);
  };
  const type = (kind, value) => act(async () => {
    page.root.findByProps({ type: kind }).props.onChange({ target: { value } });
  });
  const submit = () => act(async () => page.root.findByType('form').props.onSubmit({ preventDefault() {} }));

  await type('email', username);
  await type('password', 'wrong');
  await submit();
  await until('The e-mail address or the password is wrong.');

  await type('password', password);
  await submit();
  await until('Signed in as');
  assert.ok(shown().includes(username));

  await act(async () => page.root.findByType('button').props.onClick());
  await until('Password');
  assert.equal(items.size, 0);
});
