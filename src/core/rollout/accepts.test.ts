import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary, planWith } from '../../../test/engine/specs.ts';
import { Walk } from '../../../test/engine/walk.ts';
import { Failure } from '../../base/failure.ts';
import { assertAccepts } from './accepts.ts';
import type { Command } from './event.ts';

const commands: Readonly<Record<string, Command>> = {
  promote: { kind: 'promote', full: false },
  pause: { kind: 'pause', reason: 'lunch' },
  resume: { kind: 'resume' },
  abort: { kind: 'abort', reason: 'enough' },
};

const manual = planWith({ strategy: { ...canary, promotion: 'manual' } }, { candidateStored: false });
const moments: Readonly<Record<string, () => Walk>> = {
  BUILDING: () => new Walk(manual).until('BUILDING'),
  DEPLOYING: () => new Walk(manual).until('DEPLOYING'),
  CANARY: () => new Walk(manual).until('CANARY'),
  CANARY_WAITING: () => new Walk(manual).until('CANARY_WAITING'),
  CANARY_EVALUATING: () => new Walk(manual).until('CANARY_EVALUATING'),
  AWAITING_APPROVAL: () => new Walk(manual).until('AWAITING_APPROVAL'),
  PAUSED: () => new Walk(manual).until('CANARY_WAITING').take({ kind: 'pause', reason: 'lunch' }),
  PROMOTING: () => new Walk(manual).until('PROMOTING'),
  VERIFYING: () => new Walk(manual).until('VERIFYING'),
  ROLLING_BACK: () => new Walk(manual).until('CANARY').take({ kind: 'abort', reason: 'enough' }),
  VERIFIED: () => new Walk(manual).until('VERIFIED'),
  ROLLED_BACK: () => new Walk(manual).until('CANARY').take({ kind: 'abort', reason: 'x' }).until('ROLLED_BACK'),
};

/** State, and which of the commands it takes. */
const table = `
  BUILDING          pause abort
  DEPLOYING         pause abort
  CANARY            pause abort
  CANARY_WAITING    promote pause abort
  CANARY_EVALUATING promote pause abort
  AWAITING_APPROVAL promote abort
  PAUSED            promote resume abort
  PROMOTING         pause abort
  VERIFYING         pause abort
  ROLLING_BACK
  VERIFIED
  ROLLED_BACK
`;

for (const line of table.trim().split('\n')) {
  const [status = '', ...taken] = line.trim().split(/\s+/);
  test(`${status} takes ${taken.join(', ') || 'no command'}`, () => {
    const { rollout } = moments[status]?.() ?? assert.fail(`no moment ${status}`);
    assert.equal(rollout.status, status);
    for (const [name, command] of Object.entries(commands)) {
      if (taken.includes(name)) assert.doesNotThrow(() => assertAccepts(rollout, command), name);
      else {
        assert.throws(
          () => assertAccepts(rollout, command),
          (thrown) =>
            thrown instanceof Failure &&
            thrown.code === 'deployment.command' &&
            thrown.at === 'd-1' &&
            thrown.message.includes(`\`${name}\``) &&
            thrown.message.includes('d-1'),
          `${status} should refuse ${name}`,
        );
      }
    }
  });
}

test('a refusal says why: ended, going back, not paused, waiting already, or between stages', () => {
  const why = (moment: string, command: string): string => {
    const walk = moments[moment]?.() ?? assert.fail(moment);
    try {
      assertAccepts(walk.rollout, commands[command] ?? assert.fail(command));
    } catch (thrown) {
      return thrown instanceof Failure ? thrown.message : String(thrown);
    }
    return assert.fail('taken');
  };
  assert.match(why('VERIFIED', 'abort'), /has ended \(VERIFIED\)/);
  assert.match(why('ROLLING_BACK', 'abort'), /going back already/);
  assert.match(why('CANARY', 'resume'), /not paused \(CANARY\)/);
  assert.match(why('AWAITING_APPROVAL', 'pause'), /waits for a person already/);
  assert.match(why('CANARY', 'promote'), /between stages/);
});
