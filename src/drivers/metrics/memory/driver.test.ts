import { noNumber, type MetricQuestion } from '../../../core/metrics/question.ts';
import { contractValues, metricsContract, type Situation } from '../../../ports/metrics.contract.ts';
import { SimulatedClock } from '../../clock/simulated-clock.ts';
import { MemoryMetrics, type MemoryMetric } from './driver.ts';

function answerIn(situation: Situation): MemoryMetric {
  if (typeof situation === 'number') return situation;
  if (situation === 'timed-out') return 'silent';
  return situation === 'not-finite' ? Number.NaN : noNumber(situation, 'as the test wanted it');
}

metricsContract('the memory source', async () => {
  const clock = new SimulatedClock(1_700_000_000_000);
  let situation: Situation = 0;
  const metrics = new MemoryMetrics({ clock, answer: () => answerIn(situation) });
  const question: MetricQuestion = { query: 'anything', values: contractValues };
  return {
    arrange: async (wanted) => {
      situation = wanted;
      return { metrics, question };
    },
    until: async (promise) => {
      promise.catch(() => undefined);
      await new Promise(setImmediate);
      while (clock.step()) await new Promise(setImmediate);
      return promise;
    },
    close: async () => undefined,
  };
});
