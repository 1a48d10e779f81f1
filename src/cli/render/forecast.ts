// What a gate takes, in words, and a table of what other settings would take.

import type { SettingCost } from '../../core/gate/statistics/costs.ts';
import type { ForecastQuestion } from '../../core/gate/statistics/forecast.ts';
import type { Look } from './look.ts';
import { fit, hanging, table } from './text.ts';
import { count, lasted, percent } from './units.ts';

export function renderForecast(
  words: string,
  costs: readonly SettingCost[],
  { candidates }: ForecastQuestion,
  look: Look,
): readonly string[] {
  const heading = ['', ...candidates.map((rate) => percent(rate)), 'may pass', 'in'];
  const rows = costs.map((cost) => [
    cost.change,
    ...cost.requestsToAbort.map((requests) => (requests === undefined ? 'never' : count(requests))),
    count(cost.requestsToPass),
    lasted(cost.secondsToPass * 1000),
  ]);
  const numbers = heading.map((_, column) => column).slice(1);
  const [first = '', ...lines] = table([heading, ...rows], numbers);
  return [
    ...words.split('\n').flatMap((line) => hanging('- ', line, look.width)),
    '',
    ...hanging(
      '',
      'What other settings cost: requests of the candidate until it is out, by its error rate, and until one like stable may pass:',
      look.width,
    ),
    look.paint.dim(fit(first, look.width)),
    ...lines.map((line) => fit(line, look.width)),
  ];
}
