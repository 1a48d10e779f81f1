// What a person can do next, as exact command lines.

import type { ScopeStatus } from '../context.ts';
import type { Rollout } from '../../core/rollout/rollout.ts';
import { lastGood } from '../../core/rollout/situation.ts';
import type { Status } from '../../core/rollout/status.ts';
import type { Look } from './look.ts';
import { clean, columnsOf, hanging, padEnd } from './text.ts';

export interface NextCommand {
  /** Without `sluice` and options: `promote --full`. */
  readonly words: string;
  readonly what: string;
}

const watch: NextCommand = { words: 'status --watch', what: 'follow it to its end' };
const pause: NextCommand = { words: 'pause', what: 'stay at this share until you go on' };
const promote: NextCommand = { words: 'promote', what: 'on to the next step now' };
const full: NextCommand = { words: 'promote --full', what: 'all traffic to the new release now' };

/** Commands that the deployment takes in its state, the likeliest first. */
export function commandsFor(rollout: Rollout): readonly NextCommand[] {
  const { status } = rollout;
  const abort = abortOf(rollout);
  if (status === 'PAUSED') return [{ words: 'resume', what: 'go on where it stopped' }, ...promotions(rollout), abort];
  if (status === 'AWAITING_APPROVAL') return [...promotions(rollout), abort];
  if (status === 'CANARY_WAITING' || status === 'CANARY_EVALUATING')
    return [watch, abort, pause, ...promotions(rollout)];
  if (running.includes(status)) return [watch, abort, pause];
  if (status === 'ROLLING_BACK') return [watch];
  return endCommands(rollout);
}

/** Whoever ends a rollback goes back to what it left. */
function abortOf({ plan: { strategy, stable } }: Rollout): NextCommand {
  if (strategy !== 'rollback') return { words: 'abort', what: 'all traffic back to stable at once' };
  return { words: 'abort', what: `back to ${clean(stable?.id ?? '')}, which this rollback leaves` };
}

const running: readonly Status[] = ['INIT', 'BUILDING', 'DEPLOYING', 'CANARY', 'PROMOTING', 'PROMOTED', 'VERIFYING'];

function promotions(rollout: Rollout): readonly NextCommand[] {
  return rollout.plan.strategy === 'canary' && !rollout.promoted ? [promote, full] : [promote];
}

function endCommands(rollout: Rollout): readonly NextCommand[] {
  const record = { words: `history show ${rollout.id}`, what: 'every record with its evidence' };
  if (rollout.status === 'VERIFIED') {
    const back = { words: 'rollback', what: `back to ${clean(rollout.plan.stable?.id ?? '')}` };
    // A rollback is not gone back on: what it left is no longer trusted.
    const { strategy } = rollout.plan;
    return strategy === 'first' || strategy === 'same' || strategy === 'rollback' ? [record] : [back, record];
  }
  return [record, { words: `logs --release ${rollout.plan.candidate.id}`, what: 'what the failed release wrote' }];
}

/** Commands for a scope in which nothing is under way. */
export function commandsBetween({
  situation,
  last,
}: ScopeStatus & { readonly last?: Rollout | undefined }): readonly NextCommand[] {
  // With no stable release there is nothing to go back from.
  const good = situation.stable === undefined ? undefined : lastGood(situation);
  return [
    ...(situation.removal?.finished === false ? [{ words: 'remove', what: 'take away what is left of it' }] : []),
    ...(last === undefined || last.status === 'VERIFIED' ? [] : endCommands(last)),
    { words: 'deploy', what: 'deploy a new release' },
    ...(good === undefined
      ? []
      : [{ words: 'rollback', what: `back to ${clean(good.release.id)}${warmth(situation)}` }]),
    { words: 'history', what: 'earlier deployments' },
  ];
}

function warmth(situation: ScopeStatus['situation']): string {
  const good = lastGood(situation);
  const warm = good !== undefined && situation.warm?.placement.release.id === good.release.id;
  return warm ? ', one switch' : ', started again first';
}

/** The commands one below the other, what they do beside them; under them where there is no room. */
export function renderCommands(
  commands: readonly NextCommand[],
  scope: Rollout['plan']['scope'],
  look: Look,
): readonly string[] {
  const lines = commands.map(({ words, what }) => ({ line: clean(look.command(words, scope)), what }));
  const widest = Math.max(...lines.map(({ line }) => columnsOf(line)));
  return lines.flatMap(({ line, what }) => {
    if (4 + widest + 2 + 24 > look.width) {
      return [`    ${look.paint.bold(line)}`, ...hanging('      ', what, look.width).map(look.paint.dim)];
    }
    const [first = '', ...rest] = hanging(' '.repeat(6 + widest), what, look.width);
    return [
      `    ${look.paint.bold(padEnd(line, widest))}  ${look.paint.dim(first.trimStart())}`,
      ...rest.map(look.paint.dim),
    ];
  });
}
