// The benchmark's tables, as Markdown that reads well in a terminal too.

import type { Goal } from './goals.ts';
import { exactInterval, median, rank, type Results } from './results.ts';
import { rolloutCases, ways } from './rollout.ts';
import { defects, errorRates, harmless, healthy, stress } from './scenarios.ts';
import { perRequestShares } from './plan.ts';

const rules = ['Sluice', 'Sluice, 15 s', 'P018', 'Argo', 'Flagger', 'Kayenta'] as const;

/** All tables and the goals. */
export function report(results: Results, goals: readonly Goal[]): string {
  return [
    '## False aborts of healthy candidates, % of hours',
    falseAborts(results),
    '## Bad requests served and seconds until abort (medians, 100/s at 10 %; % found within the hour if not all)',
    defectTable(results),
    '## Judged after every request: failed requests until abort, median (90th percentile)',
    perRequestTable(results),
    '## Whole rollouts: seconds to all traffic, or bad requests until abort (medians)',
    rolloutTable(results),
    '## Goals',
    table(
      ['', 'goal', 'measured'],
      goals.map(({ name, met, figure }) => [met ? 'met' : 'MISSED', name, figure]),
    ),
  ].join('\n\n');
}

function falseAborts(results: Results): string {
  const groups = [
    ...healthy.map(({ name }, index) => ({ group: 'healthy', name, index })),
    ...stress.map(({ scenario: { name } }, index) => ({ group: 'stress', name, index })),
    ...harmless.map(({ name }, index) => ({ group: 'harmless', name: `harmless: ${name}`, index })),
  ];
  const rows = groups.map(({ group, name, index }) => {
    const trials = results.cell(group, index);
    return [
      name,
      ...rules.map((rule) => share(trials.filter((aborts) => aborts[rule] !== undefined).length, trials.length)),
    ];
  });
  const judged = groups
    .filter(({ group }) => group !== 'harmless')
    .flatMap(({ group, index }) => results.cell(group, index));
  const pooled = rules.map((rule) => {
    const hits = judged.filter((aborts) => aborts[rule] !== undefined).length;
    const { low, high } = exactInterval(hits, judged.length);
    return `${share(hits, judged.length)} (${(low * 100).toFixed(2)}–${(high * 100).toFixed(2)})`;
  });
  return table(['healthy candidate', ...rules], [...rows, ['all but the harmless change', ...pooled]]);
}

const share = (hits: number, tries: number): string =>
  tries === 0 ? '–' : String(Number(((100 * hits) / tries).toFixed(2)));

function defectTable(results: Results): string {
  const rows = defects.map(({ name }, index) => {
    const trials = results.cell('defects', index);
    const cells = rules.map((rule) => {
      const found = trials.flatMap((aborts) => aborts[rule] ?? []);
      if (found.length === 0) return 'never';
      const text = `${median(found.map(({ bad }) => bad))} / ${Number(median(found.map(({ at }) => at)).toFixed(1))} s`;
      return found.length === trials.length ? text : `${text}, ${share(found.length, trials.length)} %`;
    });
    return [name, ...cells];
  });
  return table(['candidate', ...rules], rows);
}

function perRequestTable(results: Results): string {
  const rows = errorRates.map((errorRate) => [
    `${errorRate * 100} % errors`,
    ...perRequestShares.map((at) => {
      const bad = results.perRequest({ errorRate }, at).map((abort) => abort?.bad ?? Infinity);
      return `${median(bad)} (${rank(bad, 0.9)})`;
    }),
  ]);
  return table(['candidate', ...perRequestShares.map((at) => `at ${at * 100} %`)], rows);
}

function rolloutTable(results: Results): string {
  const rows = rolloutCases.map(({ name }, index) => [
    name,
    ...ways.map((way) => {
      const all = results.rollout(way, index);
      const done = all.filter(({ end }) => end === 'done');
      const aborted = all.filter(({ end }) => end === 'abort');
      return [
        ...(done.length > 0
          ? [`${share(done.length, all.length)} % promoted in ${Math.round(median(done.map(({ at }) => at)))} s`]
          : []),
        ...(aborted.length > 0
          ? [`${share(aborted.length, all.length)} % aborted after ${median(aborted.map(({ bad }) => bad))} bad`]
          : []),
        ...(done.length + aborted.length < all.length ? ['the rest held'] : []),
      ].join('; ');
    }),
  ]);
  return table(['candidate', ...ways], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, 3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
