// The traffic bar: which share the release on trial has, and what the router itself says where that differs.

import { allTraffic, shareOf, shareText, type Routes } from '../../core/routes.ts';
import type { Rollout } from '../../core/rollout/rollout.ts';
import type { Look } from './look.ts';
import { clean, fit, hanging } from './text.ts';

const heading = '  traffic   ';

/** `  traffic   ████░░░░░░  10 % on trial, 90 % stable`. */
export function renderTraffic(rollout: Rollout, look: Look): readonly string[] {
  const { share, plan } = rollout;
  if (plan.strategy === 'same') return [];
  const words = shareWords(rollout);
  const room = Math.min(40, look.width - heading.length - words.length - 2);
  if (room < 10) return [fit(heading + words, look.width)];
  return [`${heading}${bar(share, room, look)}  ${words}`];
}

function shareWords({ share, plan }: Rollout): string {
  if (share === allTraffic) return `all to ${clean(plan.candidate.id)}`;
  if (plan.stable === undefined) return share === 0 ? 'none yet' : `${shareText(share)} on trial`;
  if (share === 0) return `all to ${clean(plan.stable.id)}`;
  return `${shareText(share)} on trial, ${shareText(allTraffic - share)} stable`;
}

/** A share that is not nothing shows at least one cell, one that is not all leaves at least one. */
function bar(share: number, cells: number, look: Look): string {
  const exact = Math.round((share / allTraffic) * cells);
  const on = share === 0 ? 0 : share === allTraffic ? cells : Math.min(cells - 1, Math.max(1, exact));
  return look.paint.accent(look.glyphs.barOn.repeat(on)) + look.paint.dim(look.glyphs.barOff.repeat(cells - on));
}

/** What the router says while a deployment is under way, as far as it is not what was ordered. */
export function renderRouter(routes: Routes | undefined, rollout: Rollout, look: Look): readonly string[] {
  // Before its first routes a new service has none to be read.
  if (rollout.revision === 0 || rollout.plan.strategy === 'same') return [];
  if (routes === undefined) return silent(look);
  const candidate = rollout.plan.candidate.id;
  const share = shareOf(routes, candidate);
  if (share === rollout.share) return [];
  const words = `gives ${clean(candidate)} ${shareText(share)} now; ordered is ${shareText(rollout.share)}`;
  return hanging(says, words, look.width).map(look.paint.warn);
}

/** Who has the traffic between deployments, in the router's own words; `stable` ought to have all of it. */
export function renderServed(routes: Routes | undefined, stable: string | undefined, look: Look): readonly string[] {
  if (routes === undefined) return stable === undefined ? [] : silent(look);
  const groups = routes.groups.filter(({ share }) => share > 0);
  if (groups.length === 0)
    return stable === undefined ? [] : hanging(heading, 'none is served', look.width).map(look.paint.bad);
  const words = groups.map(({ release, share }) => `${shareText(share)} to ${clean(release)}`).join(', ');
  const asItShould = stable !== undefined && shareOf(routes, stable) === allTraffic;
  return hanging(heading, words, look.width).map(asItShould ? (line) => line : look.paint.warn);
}

const says = '  router    ';

function silent(look: Look): readonly string[] {
  return hanging(says, 'has no routes, or does not answer', look.width).map(look.paint.warn);
}
