// The traffic bar: which share the release on trial has, and what the router itself says where that differs.

import { allTraffic, shareOf, shareText, type Routes } from '../../core/routes.ts';
import type { Rollout } from '../../core/rollout/rollout.ts';
import type { Look } from './look.ts';
import { clean, hanging } from './text.ts';

const heading = '  traffic   ';

/** `  traffic   ████░░░░░░  10 % on trial, 90 % stable`. */
export function renderTraffic(rollout: Rollout, look: Look): readonly string[] {
  const { share, plan } = rollout;
  if (plan.strategy === 'same') return [];
  const words =
    plan.stable === undefined
      ? `${shareText(share)} on trial, no stable release yet`
      : `${shareText(share)} on trial, ${shareText(allTraffic - share)} stable`;
  const room = Math.min(40, look.width - heading.length - words.length - 2);
  if (room < 10) return [heading + words];
  return [`${heading}${bar(share, room, look)}  ${words}`];
}

/** A share that is not nothing shows at least one cell, one that is not all leaves at least one. */
function bar(share: number, cells: number, look: Look): string {
  const exact = Math.round((share / allTraffic) * cells);
  const on = share === 0 ? 0 : share === allTraffic ? cells : Math.min(cells - 1, Math.max(1, exact));
  return look.paint.accent(look.glyphs.barOn.repeat(on)) + look.paint.dim(look.glyphs.barOff.repeat(cells - on));
}

/** What the router says, as far as a person has to know it: that it does not answer, or that it does something else than ordered. */
export function renderRouter(routes: Routes | undefined, rollout: Rollout | undefined, look: Look): readonly string[] {
  const says = '  router    ';
  if (routes === undefined) {
    return hanging(says, 'has no routes, or does not answer', look.width).map(look.paint.warn);
  }
  if (rollout === undefined) return [];
  const share = shareOf(routes, rollout.plan.candidate.id);
  if (share === rollout.share || rollout.plan.strategy === 'same') return [];
  return hanging(
    says,
    `gives ${clean(rollout.plan.candidate.id)} ${shareText(share)} now; ordered is ${shareText(rollout.share)}`,
    look.width,
  ).map(look.paint.warn);
}
