// Ready questions to Prometheus about one release: request rate, error rate, quantiles, CPU and memory, as PromQL with placeholders.

import type { CounterSelection } from './counters.ts';
import { equalTo, matching } from './promql.ts';

interface Selection {
  /** Label → the text that it must equal, in which placeholders may stand. */
  readonly labels: Readonly<Record<string, string>>;
}

export type QueryTemplate =
  | (Selection & { readonly kind: 'requestRate'; /** A counter of requests. */ readonly metric: string })
  | (Selection & {
      readonly kind: 'errorRate';
      readonly metric: string;
      /** Label → pattern that tells failed requests from the others. */
      readonly errors: Readonly<Record<string, string>>;
    })
  | (Selection & {
      readonly kind: 'quantile';
      /** Name without `_bucket`. */
      readonly histogram: string;
      /** 0 to 1. */
      readonly quantile: number;
      readonly native: boolean;
    })
  | (Selection & { readonly kind: 'cpu'; readonly metric: string; /** What 1 stands for. */ readonly cores: number })
  | (Selection & { readonly kind: 'memory'; readonly metric: string });

export interface CounterTemplate extends Selection {
  /** A counter of requests. */
  readonly metric: string;
  /** Label → pattern that tells failed requests from the others. */
  readonly errors: Readonly<Record<string, string>>;
  /** Name without `_bucket`; undefined: latencies are not compared. */
  readonly histogram?: string | undefined;
  readonly unitMs: number;
  readonly instance: string;
}

/** What to read of the counters of one release. */
export function counterSelection(template: CounterTemplate): CounterSelection {
  const { metric, histogram, unitMs, instance } = template;
  const all = Object.entries(template.labels).map(([label, text]) => equalTo(label, text));
  const errors = Object.entries(template.errors).map(([label, pattern]) => matching(label, pattern));
  return {
    requests: `${metric}{${all.join(',')}}`,
    errors: `${metric}{${[...all, ...errors].join(',')}}`,
    ...(histogram === undefined ? {} : { buckets: `${histogram}_bucket{${all.join(',')}}` }),
    unitMs,
    instance,
  };
}

export interface TemplatedQuery {
  readonly query: string;
  /** How many requests the number stands on. */
  readonly samples?: string | undefined;
  readonly measuredAt?: string | undefined;
}

export function templatedQuery(template: QueryTemplate): TemplatedQuery {
  const all = Object.entries(template.labels).map(([label, text]) => equalTo(label, text));
  const of = (metric: string, more: readonly string[] = []): string => `${metric}{${[...all, ...more].join(',')}}`;
  const during = (metric: string, more: readonly string[] = []): string => `${of(metric, more)}[{{window}}]`;
  switch (template.kind) {
    case 'requestRate':
      return { query: `sum(rate(${during(template.metric)}))` };
    case 'errorRate': {
      const { metric } = template;
      const errors = Object.entries(template.errors).map(([label, pattern]) => matching(label, pattern));
      return {
        // A release that never failed has no series of failures.
        query: `(sum(rate(${during(metric, errors)})) or vector(0)) / sum(rate(${during(metric)}))`,
        samples: `sum(increase(${during(metric)}))`,
      };
    }
    case 'quantile':
      return quantileQuery(template, during);
    case 'cpu':
      // The busiest instance counts: an average hides one that stands still.
      return { query: `max(rate(${during(template.metric)})) / ${template.cores}` };
    case 'memory':
      return { query: `max(${of(template.metric)})`, measuredAt: of(template.metric) };
  }
}

function quantileQuery(
  { histogram, quantile, native }: Extract<QueryTemplate, { kind: 'quantile' }>,
  during: (metric: string) => string,
): TemplatedQuery {
  if (native) {
    return {
      query: `histogram_quantile(${quantile}, sum(rate(${during(histogram)})))`,
      samples: `histogram_count(sum(increase(${during(histogram)})))`,
    };
  }
  return {
    query: `histogram_quantile(${quantile}, sum by (le) (rate(${during(`${histogram}_bucket`)})))`,
    samples: `sum(increase(${during(`${histogram}_count`)}))`,
  };
}
