// Telemetry counts what the stream tells and reads the rest when it is asked.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Log, silentLog } from '../base/log.ts';
import type { EventRecord } from '../core/rollout/record.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import { emptySituation } from '../core/rollout/situation.ts';
import type { Status } from '../core/rollout/status.ts';
import type { ScopeStatus, StreamItem } from '../engine/controller.ts';
import { aRecord, aRollout, shop } from '../ports/store-samples.ts';
import { type TelemetryOptions, createTelemetry } from './telemetry.ts';

type Event = EventRecord['event'];

let sequence = 0;

function recordOf(rollout: Rollout, from: Status, to: Status, event: Record<string, unknown>): StreamItem {
  sequence += 1;
  const happened = { at: rollout.at, actor: 'sluice', ...event } as Event;
  return { kind: 'record', record: { ...aRecord(rollout), sequence, from, to, event: happened } };
}

const canary = aRollout('d-1', 9, {
  createdAt: 1000,
  at: 61_000,
  badSince: 57_500,
  wentBackAt: 60_000,
  safeAt: 60_020,
});
const back = aRollout('d-2', 5, {
  createdBy: 'ada@machine',
  createdAt: 70_000,
  badSince: 69_000,
  safeAt: 70_050,
  plan: { ...canary.plan, strategy: 'rollback' },
});

const checks = {
  kind: 'checks',
  outcomes: [
    { name: 'GET /', passed: true, attempts: 4, durationMs: 3, reason: 'ok' },
    { name: 'GET /b', passed: true, attempts: 1, durationMs: 3, reason: 'ok' },
  ],
};

const happened = [
  recordOf(canary, 'INIT', 'BUILDING', { kind: 'started' }),
  recordOf(canary, 'DEPLOYING', 'DEPLOYING', { kind: 'effect-retried', effect: 'd-1#1' }),
  recordOf(canary, 'DEPLOYING', 'CANARY', { kind: 'effect-done', effect: 'd-1#1', result: checks }),
  recordOf(canary, 'CANARY_EVALUATING', 'ROLLING_BACK', { kind: 'judged' }),
  recordOf(canary, 'ROLLING_BACK', 'ROLLING_BACK', {
    kind: 'effect-done',
    effect: 'd-1#2',
    result: { kind: 'nothing' },
  }),
  recordOf(canary, 'ROLLING_BACK', 'ROLLED_BACK', {
    kind: 'effect-done',
    effect: 'd-1#3',
    result: { kind: 'nothing' },
  }),
  recordOf(back, 'INIT', 'DEPLOYING', { kind: 'started' }),
];

const present: ScopeStatus = {
  situation: emptySituation(shop),
  active: aRollout('d-3', 1, { status: 'CANARY_WAITING' }),
  attended: true,
  instances: [],
  routes: {
    scope: shop,
    revision: 1,
    rules: [],
    groups: [
      { release: 'shop@old', share: 9900, endpoints: [] },
      { release: 'shop@"new"', share: 100, endpoints: [] },
    ],
  },
  live: {
    at: 1,
    requestsPerSecond: 5,
    judgement: {
      outcome: 'inconclusive',
      verdicts: [{ check: 'queue: at most 5', outcome: 'inconclusive', reason: 'r', samples: 0, cause: 'timed-out' }],
      lost: 0,
      candidate: { release: 'shop@"new"', requests: 200, errors: 3, unanswered: 0, p95: 250 },
      stable: { release: 'shop@old', requests: 19_000, errors: 1, unanswered: 0 },
    },
  },
};

interface Script {
  readonly status?: () => Promise<readonly ScopeStatus[]>;
  /** What each call of `stream` yields; an error is thrown; afterwards it waits for the end. */
  readonly streams?: readonly (readonly (StreamItem | Error)[])[];
  readonly log?: Log;
}

/** Runs telemetry over the script until all of it was told, and gives its metrics. */
async function measure({ status = async () => [], streams = [], log = silentLog }: Script): Promise<string> {
  const stop = new AbortController();
  const { promise: told, resolve } = Promise.withResolvers<void>();
  const asked: (number | undefined)[] = [];
  const controller: TelemetryOptions['controller'] = {
    status,
    detail: async (id) => ({ rollout: id === 'd-2' ? back : canary, records: [] }),
    async *stream(query, signal) {
      asked.push(query.after);
      for (const item of streams[asked.length - 1] ?? []) {
        if (item instanceof Error) throw item;
        yield item;
      }
      if (asked.length < streams.length) return;
      resolve();
      await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
    },
  };
  const telemetry = createTelemetry({ controller, log });
  const running = telemetry.run(stop.signal);
  await told;
  const text = await telemetry.metrics.text();
  stop.abort();
  await running;
  assert.equal(asked[0], undefined);
  if (streams.length > 1) assert.notEqual(asked[1], undefined);
  return text;
}

function assertLines(text: string, lines: readonly string[]): void {
  const missing = lines.filter((line) => !text.split('\n').includes(line));
  assert.deepEqual(missing, [], text);
}

describe('telemetry', () => {
  it('counts starts, ends, rollbacks, retries and times from the stream', async () => {
    const scope = 'service="shop",environment="production"';
    assertLines(await measure({ streams: [happened] }), [
      `deployment_started_total{${scope}} 2`,
      `deployment_completed_total{${scope},status="ROLLED_BACK"} 1`,
      `deployment_duration_seconds_sum{${scope}} 60`,
      `deployment_duration_seconds_count{${scope}} 1`,
      `rollback_triggered_total{${scope},cause="gate"} 1`,
      `rollback_triggered_total{${scope},cause="person"} 1`,
      `deployment_recovery_seconds_sum{${scope}} 0.02`,
      `deployment_detection_seconds_sum{${scope}} 2.5`,
      `health_check_retries_total{${scope}} 3`,
      `deployment_effect_retries_total{${scope}} 1`,
    ]);
  });

  it('counts how long a rollback of a promoted release took to be decided and to be in force', async () => {
    const scope = 'service="shop",environment="production"';
    const ended = recordOf(back, 'VERIFYING', 'VERIFIED', { kind: 'time-came' });
    assertLines(await measure({ streams: [[...happened, ended]] }), [
      `deployment_recovery_seconds_sum{${scope}} 0.07`,
      `deployment_recovery_seconds_count{${scope}} 2`,
      `deployment_detection_seconds_sum{${scope}} 3.5`,
      `deployment_detection_seconds_count{${scope}} 2`,
    ]);
  });

  it('takes a broken stream up again where it broke', async () => {
    const streams = [[...happened.slice(0, 3), new Error('store gone')], happened.slice(3)];
    const text = await measure({ streams });
    assert.match(text, /deployment_started_total\{.*\} 2\n/);
    assert.match(text, /deployment_completed_total\{.*\} 1\n/);
  });

  it('reads shares, state and evidence when it is asked', async () => {
    const scope = 'service="shop",environment="production"';
    assertLines(await measure({ status: async () => [present] }), [
      `deployment_active{${scope},status="CANARY_WAITING"} 1`,
      `deployment_traffic_share{${scope},release="shop@old"} 0.99`,
      `deployment_traffic_share{${scope},release="shop@\\"new\\""} 0.01`,
      `deployment_gate_outcome{${scope},outcome="inconclusive"} 1`,
      `deployment_gate_outcome{${scope},outcome="fail"} 0`,
      `deployment_gate_check{${scope},check="queue: at most 5",outcome="inconclusive",cause="timed-out"} 1`,
      `deployment_gate_requests{${scope},role="candidate",release="shop@\\"new\\""} 200`,
      `deployment_gate_errors{${scope},role="stable",release="shop@old"} 1`,
      `deployment_gate_latency_seconds{${scope},role="candidate",release="shop@\\"new\\"",quantile="0.95"} 0.25`,
    ]);
  });

  it('gives the counters without the present state when that cannot be read, and says so', async () => {
    const logged: string[] = [];
    const text = await measure({
      streams: [happened],
      status: () => Promise.reject(new Error('the router is away')),
      log: { write: (_, message, fields) => logged.push(`${message}: ${JSON.stringify(fields)}`) },
    });
    assert.match(text, /deployment_started_total\{.*\} 2\n/);
    assert.doesNotMatch(text, /^deployment_traffic_share\{/m);
    assert.match(logged.join(), /the router is away/);
  });
});
