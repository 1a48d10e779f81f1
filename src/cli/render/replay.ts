// The outcome of a replay in words, with the plot of the evidence over time.

import { explain } from '../../core/gate/statistics/explain.ts';
import { terminalPlot } from '../../core/gate/replay/plot.ts';
import type { ReplayResult, ReplayVerdict } from '../../core/gate/replay/replay.ts';
import type { Look } from './look.ts';
import { clean, hanging } from './text.ts';
import { count, counted, lasted } from './units.ts';

export function renderReplay(result: ReplayResult, look: Look, picture: string | undefined): readonly string[] {
  const { verdict, judgement, points, gate } = result;
  const indented = (text: string): readonly string[] => hanging('  ', text, look.width);
  const plot = terminalPlot({ points, verdict, needed: 1 / gate.alpha }, { columns: look.width - 9, rows: 12 });
  return [
    ...headline(verdict, look),
    ...(judgement === undefined
      ? []
      : explain(judgement)
          .split('\n')
          .slice(1)
          .flatMap((line) => hanging('  - ', line, look.width))),
    '',
    ...plot.split('\n'),
    '',
    ...readings(verdict).flatMap(indented),
    ...verdict.problems.flatMap((problem) => hanging('    ', clean(problem), look.width)),
    ...(picture === undefined ? [] : indented(`picture: ${clean(picture)}`)),
  ];
}

const reasons: Readonly<Record<ReplayVerdict['reason'], string>> = {
  errors: 'it fails more requests than stable',
  latency: 'it is slower than stable',
  complete: 'it is no worse than stable by more than the margins',
  'no-stable': 'stable has no traffic to compare with',
  'no-data': 'one of the releases has no requests',
  split: 'the traffic is not split as configured',
  undecided: 'more requests are needed to decide',
  empty: 'the log has no request of the candidate',
};

function headline(verdict: ReplayVerdict, { paint, glyphs, width }: Look): readonly string[] {
  const { atSeconds, reason, badRequests, candidateRequests } = verdict;
  const [glyph, colour] = {
    abort: [glyphs.failed, paint.bad],
    promote: [glyphs.passed, paint.good],
    inconclusive: [glyphs.open, paint.warn],
  }[verdict.verdict] as [string, (text: string) => string];
  const failed = `${badRequests === 0 ? 'none' : count(badRequests)} of ${counted(candidateRequests, 'request')} failed`;
  const after = candidateRequests === 0 ? '' : ` after ${lasted(atSeconds * 1000)}, ${failed}`;
  const [first = '', ...others] = hanging(`${glyph} `, `${verdict.verdict}${after}: ${reasons[reason]}`, width);
  return [colour(first), ...others];
}

/** What was read, and what was not. */
function readings({ lines, unreadableLines, backwards, ignoredSettings, notes }: ReplayVerdict): readonly string[] {
  return [
    ...notes,
    ...(backwards > 0
      ? [`${counted(backwards, 'request')} came out of order and count at the time of the latest before`]
      : []),
    ...(ignoredSettings.length > 0
      ? [`settings of the trace that mean nothing here: ${ignoredSettings.map(clean).join(', ')}`]
      : []),
    unreadableLines === 0
      ? `${counted(lines, 'line')} read`
      : `${counted(lines, 'line')} read, ${count(unreadableLines)} of which say no request:`,
  ];
}
