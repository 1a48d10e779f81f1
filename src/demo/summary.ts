// The summary: what the deployments cost the visitors, and whether every promise was kept.

import type { Look } from '../cli/render/look.ts';
import { count, counted, percent } from '../cli/render/units.ts';
import { renderFigures, renderResult, spoken } from './narration.ts';
import type { Loss } from './tally.ts';

export interface Promised {
  readonly words: string;
  readonly kept: boolean;
}

export interface Summary {
  /** How long the demo took, milliseconds. */
  readonly tookMs: number;
  readonly requests: number;
  /** Requests that failed because of the deploying: no answer, or an error that no release made on purpose. */
  readonly failed: number;
  /** The first of them. */
  readonly losses: readonly Loss[];
  /** Requests that reached the canary that fails on purpose, and those that it failed. */
  readonly badCanary: { readonly requests: number; readonly errors: number };
  /** From the decision to take it out to all traffic on stable, as the records have it; milliseconds. */
  readonly backMs?: number | undefined;
  /** From the order to roll back to all traffic on the release before; milliseconds. */
  readonly rollbackMs?: number | undefined;
  /** While no controller ran. */
  readonly withoutController?: { readonly durationMs: number; readonly requests: number; readonly failed: number };
  readonly promises: readonly Promised[];
  /** What ended the demo before its end. */
  readonly problem?: string | undefined;
  /** File with every deployment, its records and their evidence. */
  readonly record?: string | undefined;
}

/** Whether everything came as the demo says. */
export function allKept(summary: Summary): boolean {
  return summary.problem === undefined && summary.failed === 0 && summary.promises.every((promise) => promise.kept);
}

export function renderSummary(summary: Summary, look: Look): readonly string[] {
  const broken = summary.promises.filter((promise) => !promise.kept);
  return [
    '',
    ...spoken(['What it cost the visitors'], look, look.paint.bold),
    ...spoken([''], look),
    ...renderFigures(figures(summary), look),
    ...spoken([''], look),
    ...lossLines(summary, look),
    ...(broken.length === 0 && summary.problem === undefined
      ? renderResult(true, `All ${summary.promises.length} promises were kept.`, look)
      : broken.flatMap((promise) => renderResult(false, `Not kept: ${promise.words}`, look))),
    ...(summary.problem === undefined ? [] : renderResult(false, summary.problem, look)),
    ...(summary.record === undefined
      ? []
      : spoken(['', 'The record of it all, every decision with its evidence:', summary.record], look)),
  ];
}

function figures(summary: Summary): readonly (readonly [string, string, string])[] {
  const { badCanary, withoutController } = summary;
  const seconds = `${(summary.tookMs / 1000).toFixed(0)} s`;
  const share = badCanary.requests === 0 ? 0 : badCanary.requests / Math.max(1, summary.requests);
  return [
    ['requests sent', count(summary.requests), `the demo took ${seconds}`],
    ['failed because of the deploying', count(summary.failed), ''],
    [
      'errors that the bad canary could serve',
      count(badCanary.errors),
      `it got ${counted(badCanary.requests, 'request')}, ${percent(share)} of all`,
    ],
    ['from that decision to all traffic on stable', milliseconds(summary.backMs), ''],
    ['from the order to roll back to all traffic back', milliseconds(summary.rollbackMs), ''],
    ...(withoutController === undefined
      ? []
      : [
          [
            'requests while no controller ran',
            count(withoutController.requests),
            `in ${(withoutController.durationMs / 1000).toFixed(1)} s; ${count(withoutController.failed)} failed`,
          ] as const,
        ]),
  ];
}

function milliseconds(durationMs: number | undefined): string {
  return durationMs === undefined ? '-' : `${count(durationMs)} ms`;
}

function lossLines({ losses }: Summary, look: Look): readonly string[] {
  return losses.flatMap(({ at, reason }) =>
    spoken([`failed at ${new Date(at).toISOString()}: ${reason}`], look, look.paint.bad),
  );
}
