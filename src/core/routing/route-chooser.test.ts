import assert from 'node:assert/strict';
import test from 'node:test';

import type { Routes } from '../routes.ts';
import { cookieValue } from './cookies.ts';
import { type RequestFacts, RouteChooser } from './route-chooser.ts';

const group = (release: string, share: number, endpoints = 1): Routes['groups'][number] => ({
  release,
  share,
  endpoints: Array.from({ length: endpoints }, (_, index) => ({
    instance: `${release}-${index}`,
    address: { host: '127.0.0.1', port: 4000 + index },
  })),
});

const routes = (changes: Partial<Routes>): Routes => ({
  scope: { service: 'shop', environment: 'test' },
  revision: 1,
  groups: [group('old', 9_000), group('new', 1_000)],
  rules: [],
  ...changes,
});

const token = (release: string): string => `t-${release}`;
const sticky = { cookie: 'keep', maxAgeMs: 60_000 };

const facts = (headers: Record<string, string> = {}): RequestFacts => ({
  headerValues: (name) => (headers[name] === undefined ? [] : [headers[name]]),
  cookies: headers['cookie'],
});

const releases = (chooser: RouteChooser, count: number): (string | undefined)[] =>
  Array.from({ length: count }, () => chooser.choose(facts())?.group.release);

test('the first rule that matches decides, whatever the shares', () => {
  const chooser = new RouteChooser(
    routes({
      rules: [
        { release: 'new', match: { header: 'x-team', equals: 'blue' } },
        { release: 'old', match: { cookie: 'beta', equals: '1' } },
      ],
    }),
    token,
  );
  const both = chooser.choose(facts({ 'x-team': 'blue', cookie: 'beta=1' }));
  assert.deepEqual([both?.group.release, both?.via], ['new', 'rule']);
  const second = chooser.choose(facts({ cookie: 'a=2; beta=1' }));
  assert.deepEqual([second?.group.release, second?.via], ['old', 'rule']);
  assert.equal(chooser.choose(facts({ 'x-team': 'green' }))?.via, 'share');
});

test('a rule for a release without instances refuses nobody', () => {
  const chooser = new RouteChooser(
    routes({
      groups: [group('old', 10_000), group('new', 0, 0)],
      rules: [{ release: 'new', match: { header: 'x-team', equals: 'blue' } }],
    }),
    token,
  );
  assert.equal(chooser.choose(facts({ 'x-team': 'blue' }))?.group.release, 'old');
});

test('new visitors are spread by share and get a cookie; with it they stay', () => {
  const chooser = new RouteChooser(routes({ sticky }), token);
  const first = Array.from({ length: 100 }, () => chooser.choose(facts()));
  assert.equal(first.filter((choice) => choice?.group.release === 'new').length, 10);
  assert.ok(first.every((choice) => choice?.via === 'share' && choice.keep === `t-${choice.group.release}`));
  for (let visit = 0; visit < 100; visit++) {
    const again = chooser.choose(facts({ cookie: 'keep=t-new' }));
    assert.deepEqual([again?.group.release, again?.via, again?.keep], ['new', 'sticky', undefined]);
  }
});

test('a cookie holds only as long as its release has a share', () => {
  const chooser = new RouteChooser(routes({ sticky, groups: [group('old', 10_000), group('new', 0)] }), token);
  const moved = chooser.choose(facts({ cookie: 'keep=t-new' }));
  assert.deepEqual([moved?.group.release, moved?.via, moved?.keep], ['old', 'share', 't-old']);
});

test('the share of a release without instances falls to the others', () => {
  const chooser = new RouteChooser(routes({ groups: [group('old', 5_000, 0), group('new', 5_000)] }), token);
  assert.deepEqual(releases(chooser, 3), ['new', 'new', 'new']);
  assert.equal(new RouteChooser(routes({ groups: [] }), token).choose(facts()), undefined);
});

test('the preview address serves the release that is named, even without a share', () => {
  const groups = [group('old', 10_000), group('new', 0)];
  const chooser = new RouteChooser(routes({ groups, preview: 'new' }), token);
  assert.deepEqual([chooser.choosePreview()?.group.release, chooser.choosePreview()?.via], ['new', 'preview']);
  assert.equal(new RouteChooser(routes({ groups }), token).choosePreview(), undefined);
});

test('shares that stay the same go on where they were when other routes change', () => {
  let chooser = new RouteChooser(routes({}), token);
  let served = 0;
  for (let revision = 1; revision <= 1000; revision++) {
    chooser = new RouteChooser(
      routes({ revision, groups: [group('old', 9_000, 2), group('new', 1_000)] }),
      token,
      chooser,
    );
    if (releases(chooser, 1)[0] === 'new') served += 1;
  }
  assert.equal(served, 100);
});

test('one cookie is read out of a header as browsers and people write it', () => {
  assert.equal(cookieValue('a=1; keep=x; b=2', 'keep'), 'x');
  assert.equal(cookieValue('keep="x"', 'keep'), 'x');
  assert.equal(cookieValue('notkeep=1;keep=2', 'keep'), '2');
  assert.equal(cookieValue('keep', 'keep'), undefined);
  assert.equal(cookieValue('a=b=keep; keep=a=b', 'keep'), 'a=b');
  assert.equal(cookieValue(undefined, 'keep'), undefined);
  assert.equal(cookieValue('', 'keep'), undefined);
});
