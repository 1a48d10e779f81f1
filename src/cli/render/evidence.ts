// Evidence: what both releases showed, and each gate's verdict with its reason.

import {
  errorRate,
  type Judgement,
  type Outcome,
  type ReleaseEvidence,
  type Verdict,
} from '../../core/gate/verdict.ts';
import type { Look } from './look.ts';
import { clean, fit, hanging, padEnd, table } from './text.ts';
import { count, latency, percent, perSecond } from './units.ts';

/** The numbers of both releases, side by side. */
export function renderNumbers(judgement: Judgement, look: Look, requestsPerSecond?: number): readonly string[] {
  const rows = [
    ['', 'requests', 'errors', 'p50', 'p95', 'p99'],
    evidenceRow('on trial', judgement.candidate),
    ...(judgement.stable === undefined ? [] : [evidenceRow('stable', judgement.stable)]),
  ];
  const [heading = '', ...lines] = table(rows, [1, 2, 3, 4, 5]).map((line) => `  ${line}`);
  const rate = requestsPerSecond === undefined ? '' : `   ${perSecond(requestsPerSecond)} together`;
  return [
    look.paint.dim(fit(heading + rate, look.width)),
    ...lines.map((line) => fit(line, look.width)),
    ...(judgement.lost === 0
      ? []
      : hanging(
          '  ',
          `${count(judgement.lost)} requests were not seen; the gates wait for complete numbers.`,
          look.width,
        )),
  ];
}

function evidenceRow(name: string, evidence: ReleaseEvidence): readonly string[] {
  return [
    padEnd(name, 8),
    count(evidence.requests),
    evidence.requests === 0 ? '-' : percent(errorRate(evidence)),
    latency(evidence.p50),
    latency(evidence.p95),
    latency(evidence.p99),
  ];
}

/** Each gate's verdict with its reason. */
export function renderVerdicts(judgement: Judgement, look: Look): readonly string[] {
  return judgement.verdicts.flatMap((verdict) => {
    const glyph = outcomeGlyph(verdict.outcome, look);
    const paint = outcomePaint(verdict.outcome, look);
    const lines = hanging(`  ${glyph} `, verdictText(verdict), look.width);
    return lines.map((line, index) => (index === 0 ? line.replace(glyph, () => paint(glyph)) : line));
  });
}

/** What the statistical gate stands on, and what would change its mind; its first line is the verdict, which is told already. */
export function renderStatistics({ statistics }: Judgement, look: Look): readonly string[] {
  const lines = statistics?.words.slice(1) ?? [];
  return lines.flatMap((line) => hanging('    ', clean(line), look.width)).map(look.paint.dim);
}

/** A reason names its check where it has an outcome; without one, only what is still missing. */
function verdictText({ check, outcome, reason }: Verdict): string {
  return outcome === 'inconclusive' ? `${clean(check)}: ${clean(reason)}` : clean(reason);
}

export function outcomeGlyph(outcome: Outcome, look: Look): string {
  const { passed, failed, open } = look.glyphs;
  return { pass: passed, fail: failed, inconclusive: open }[outcome];
}

export function outcomePaint(outcome: Outcome, look: Look): (text: string) => string {
  const { good, bad, warn } = look.paint;
  return { pass: good, fail: bad, inconclusive: warn }[outcome];
}
