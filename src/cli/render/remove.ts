// What taking a service away would end, and that it is gone.

import type { DeploySpec } from '../../core/plan/spec.ts';
import { scopeName } from '../../core/scope.ts';
import type { RemoveAnswer, ScopeStatus } from '../context.ts';
import type { Look } from './look.ts';
import { renderInstances } from './status.ts';
import { clean, hanging } from './text.ts';
import { renderServed } from './traffic.ts';
import { counted } from './units.ts';

export function renderRemoval(view: ScopeStatus, look: Look): readonly string[] {
  const { situation, routes, instances } = view;
  if (situation.stable === undefined && routes === undefined && instances.length === 0)
    return [`Nothing of ${clean(scopeName(situation.scope))} runs or is routed here.`];
  const what = `${clean(scopeName(situation.scope))} would be taken away: its traffic ends first, then its instances after their last requests, then what listens for it.`;
  return [
    ...hanging('', what, look.width),
    '',
    ...renderServed(routes, situation.stable?.release.id, look),
    ...renderInstances(view, look),
    ...hanging('  kept      ', 'its history, and the copies of its releases; not what its instances wrote', look.width),
  ];
}

export function renderGone({ scope, platform }: DeploySpec, answer: RemoveAnswer, look: Look): readonly string[] {
  const { paint, glyphs } = look;
  const adopted = platform.driver === 'docker' && platform.adopt !== undefined;
  const what = `${counted(answer.instances.length, 'instance')} ${adopted ? 'given back to Compose' : 'stopped'}`;
  const name = paint.bold(clean(scopeName(scope)));
  return [
    `${paint.good(glyphs.passed)} ${name} is gone: ${what}, and nothing listens for it.`,
    paint.dim(`  ${look.command('deploy', scope)} begins anew; its history is kept.`),
  ];
}
