// Kills the real controller at commits of deployments in containers behind NGINX and HAProxy, and looks at what the next one leaves.

import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';

import { noEngine } from '../docker/engine.ts';
import { withoutHaproxy } from '../programs/haproxy.ts';
import { withoutNginx as whyNoNginx } from '../programs/nginx.ts';
import { canary, deployment, removal, rollback, warm } from './support/courses.ts';
import type { Trap } from './support/orders.ts';
import { everyCommit, walk } from './support/walker.ts';

const leftOut = existsSync('/proc/self/environ') ? await noEngine() : 'missing: /proc, in which proxies are looked for';
const withoutNginx = await whyNoNginx();
const nginx = { platform: 'docker', router: 'nginx' } as const;
const haproxy = { platform: 'docker', router: 'haproxy' } as const;
/** Only the router has something to forget here, so the instances are those that start fastest. */
const removing = removal(warm);
const courses = [deployment('a canary', canary, []), rollback('a rollback of blue-green', [])];

/**
 * Containers take their time, so the two divide the work: NGINX has the odd commits and HAProxy the even ones, each in turns killed
 * behind one commit and before the next but one.
 */
describe('a controller that is killed at a commit', { concurrency: 4, timeout: 580_000 }, () => {
  it('takes away all of a service behind NGINX', { skip: withoutNginx }, (context) =>
    walk(removing, { platform: 'process', router: 'nginx' }, everyCommit([]), context),
  );
  it('takes away all of a service behind HAProxy', { skip: withoutHaproxy }, (context) =>
    walk(removing, { platform: 'process', router: 'haproxy' }, everyCommit([]), context),
  );
  for (const course of courses) {
    it(`loses nothing of ${course.name} behind NGINX`, { skip: leftOut || withoutNginx }, (context) =>
      walk(course, nginx, everySecond(1), context),
    );
    it(`loses nothing of ${course.name} behind HAProxy`, { skip: leftOut || withoutHaproxy }, (context) =>
      walk(course, haproxy, everySecond(2), context),
    );
  }
});

function* everySecond(first: number): Generator<Trap, void, boolean> {
  let goesOn = true;
  for (let commit = first; goesOn; commit += 2) {
    const side = (commit - first) % 4 === 0 ? 'after' : 'before';
    goesOn = yield { commit, side };
  }
}
