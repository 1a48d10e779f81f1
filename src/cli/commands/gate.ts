// `sluice gate explain`: what a gate takes at given traffic, and what its settings cost.

import type { Command } from 'commander';
import { Failure } from '../../base/failure.ts';
import { parseRate } from '../../config/units.ts';
import { costsOf } from '../../core/gate/statistics/costs.ts';
import { describeForecast, forecast, type ForecastQuestion } from '../../core/gate/statistics/forecast.ts';
import { gatePresets } from '../../core/gate/statistics/settings.ts';
import { codeOf } from '../exit.ts';
import { addGateOptions, chosenGate, errorRateOf, type GateOptions, shareOf } from '../gate-settings.ts';
import { examples, type Perform } from '../program.ts';
import { renderForecast } from '../render/forecast.ts';
import type { Session } from '../session.ts';

interface Options extends GateOptions {
  readonly rate: string;
  readonly weight: string;
  readonly errors: string;
  readonly stableErrors: string;
}

export function define(command: Command, perform: Perform): void {
  command
    .description('Tells what a statistical gate takes and what its settings cost.')
    .addHelpText('after', examples(['sluice gate explain --rate 100/s', 'how long it takes at 100 requests a second']));
  const explain = command
    .command('explain')
    .summary('how many requests and how long a gate takes at given traffic')
    .description(
      `For a rate of traffic and the candidate's share of it: after how many requests and how long a candidate that fails some
of them is out, and when one that is like stable may pass; then the same for other settings, which shows what each costs.
These are expectations, not promises: a single candidate takes less or more.`,
    )
    .requiredOption('--rate <rate>', 'all requests, of both releases, such as 100/s or 3000/m')
    .option('--weight <percentage>', 'the candidate’s share of traffic', '10%')
    .option('--errors <percentages>', 'error rates of candidates to ask about', '100%,20%,5%,1%,0.5%')
    .option('--stable-errors <percentage>', 'stable’s error rate', '0.1%')
    .optionsGroup('The gate (else the preset `default`):');
  addGateOptions(explain)
    .addHelpText(
      'after',
      examples(
        ['sluice gate explain --rate 100/s --weight 10%', 'the default gate at 100 requests a second'],
        ['sluice gate explain --rate 30/m --weight 50% --preset low-traffic', 'another preset, with little traffic'],
      ),
    )
    .action(perform(explainGate));
}

async function explainGate(session: Session, options: Options): Promise<number> {
  const { json } = session.options;
  const { out } = session;
  const question: ForecastQuestion = {
    gate: (await chosenGate(session, options)) ?? gatePresets.default,
    requestsPerSecond: ratePerSecond(options.rate),
    share: shareOf(options.weight, '--weight'),
    errorRate: stableRate(options.stableErrors),
    candidates: ratesOf(options.errors),
  };
  const answer = forecast(question);
  const costs = costsOf(question);
  if (json) out.json({ question, ...answer, costs });
  else out.lines(renderForecast(describeForecast(question, answer), costs, question, out.look()));
  return codeOf('done');
}

function ratePerSecond(text: string): number {
  const rate = parseRate(text);
  if (rate !== undefined && rate > 0 && rate <= 1e7) return rate;
  throw new Failure('usage', `${JSON.stringify(text)} is not a rate of requests`, {
    at: '--rate',
    remedy: 'Write it with its unit, such as `--rate 100/s` or `--rate 30/m`.',
  });
}

function stableRate(text: string): number {
  const rate = errorRateOf(text, '--stable-errors');
  if (rate > 0 && rate < 0.5) return rate;
  throw new Failure('usage', `no comparison is possible when stable fails ${text} of its requests`, {
    at: '--stable-errors',
    remedy: 'Give more than 0% and less than 50%, such as `--stable-errors 0.1%`.',
  });
}

const mostRates = 20;

function ratesOf(text: string): readonly number[] {
  const parts = text.split(',');
  if (parts.length <= mostRates) return parts.map((part) => errorRateOf(part, '--errors'));
  throw new Failure('usage', `${parts.length} error rates are too many`, {
    at: '--errors',
    remedy: `Give at most ${mostRates}.`,
  });
}
