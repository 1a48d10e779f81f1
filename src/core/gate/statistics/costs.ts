// What settings cost: the same forecast with one thing changed at a time.

import { forecast, type ForecastQuestion } from './forecast.ts';
import { gatePresets, type StatisticalGate } from './settings.ts';

export interface SettingCost {
  /** The change in words. */
  readonly change: string;
  /** Requests of the candidate until one with each of the asked error rates is out; undefined: not in reasonable time. */
  readonly requestsToAbort: readonly (number | undefined)[];
  /** Requests of a healthy candidate until the stage may pass, and seconds. */
  readonly requestsToPass: number;
  readonly secondsToPass: number;
}

export function costsOf(question: ForecastQuestion): readonly SettingCost[] {
  const { gate, share } = question;
  const doubled = Math.min(2 * share, 5000);
  const changes: readonly (readonly [string, Partial<ForecastQuestion>])[] = [
    ['as it is', {}],
    ['a tenth of falseAborts', { gate: { ...gate, alpha: gate.alpha / 10 } }],
    ['a tenth of wrongPasses', { gate: { ...gate, beta: gate.beta / 10 } }],
    ['half the margins', { gate: withMargins(gate, 0.5) }],
    ['twice the margins', { gate: withMargins(gate, 2) }],
    ...(doubled > share ? [[`${doubled / 100} % of traffic`, { share: doubled }] as const] : []),
    ...Object.entries(gatePresets).map(([name, preset]) => [`preset ${name}`, { gate: preset }] as const),
  ];
  return changes.map(([change, changed]) => {
    const { aborts, pass } = forecast({ ...question, ...changed });
    return {
      change,
      requestsToAbort: aborts.map(({ requests }) => requests),
      requestsToPass: pass.requests,
      secondsToPass: pass.seconds,
    };
  });
}

function withMargins(gate: StatisticalGate, factor: number): StatisticalGate {
  const [first, ...others] = gate.margins;
  const scaled = (row: typeof first): typeof first => ({
    ...row,
    errors: Math.min(row.errors * factor, 0.5),
    p95: Math.min(row.p95 * factor, 0.5),
    p99: Math.min(row.p99 * factor, 0.5),
  });
  return { ...gate, margins: [scaled(first), ...others.map(scaled)] };
}
