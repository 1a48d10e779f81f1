// The meters of /metrics: names, help texts, labels and buckets.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const scope = ['service', 'environment'] as const;

const durationBuckets = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400];
const detectionBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
const recoveryBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

function counter<Label extends string>(registry: Registry, name: string, help: string, labels: readonly Label[]) {
  return new Counter({ name, help, labelNames: [...scope, ...labels], registers: [registry] });
}

function gauge<Label extends string>(registry: Registry, name: string, help: string, labels: readonly Label[]) {
  return new Gauge({ name, help, labelNames: [...scope, ...labels], registers: [registry] });
}

function histogram(registry: Registry, name: string, help: string, buckets: readonly number[]) {
  return new Histogram({ name, help, labelNames: [...scope], buckets: [...buckets], registers: [registry] });
}

export type Meters = ReturnType<typeof createMeters>;

/** A registry of its own, so that several controllers in one process do not meet. */
export function createMeters() {
  const registry = new Registry();
  return {
    registry,
    // Counted from the event stream since the server started.
    started: counter(registry, 'deployment_started_total', 'Deployments that began, rollbacks included.', []),
    completed: counter(registry, 'deployment_completed_total', 'Deployments that ended, by their final state.', [
      'status',
    ]),
    duration: histogram(
      registry,
      'deployment_duration_seconds',
      'From the request of a deployment to its end.',
      durationBuckets,
    ),
    rollbacks: counter(
      registry,
      'rollback_triggered_total',
      'Times that it was decided to go back, by what led to it.',
      ['cause'],
    ),
    recovery: histogram(
      registry,
      'deployment_recovery_seconds',
      'From the decision to go back until all traffic was on the release that was gone back to, rollbacks of promoted releases included.',
      recoveryBuckets,
    ),
    detection: histogram(
      registry,
      'deployment_detection_seconds',
      'From the first sign that a release is bad (a failed request after a minute without one, a bad answer of a metric source, failing health) until it was decided to go back by itself.',
      detectionBuckets,
    ),
    checkRetries: counter(
      registry,
      'health_check_retries_total',
      'Attempts of health and validation checks beyond the first.',
      [],
    ),
    effectRetries: counter(
      registry,
      'deployment_effect_retries_total',
      'Effects of deployments that failed and were tried again.',
      [],
    ),
    // Read when they are asked for.
    active: gauge(registry, 'deployment_active', '1 for the state of the deployment under way.', ['status']),
    share: gauge(registry, 'deployment_traffic_share', 'Share of traffic of a release as the router says, 0 to 1.', [
      'release',
    ]),
    gateOutcome: gauge(registry, 'deployment_gate_outcome', '1 for what the gates say of the release on trial now.', [
      'outcome',
    ]),
    gateCheck: gauge(
      registry,
      'deployment_gate_check',
      '1 for what each check of the gates says now, with why there is no number where a metric source has none.',
      ['check', 'outcome', 'cause'],
    ),
    gateRequests: gauge(registry, 'deployment_gate_requests', 'Requests that the gates judge by.', ['role', 'release']),
    gateErrors: gauge(registry, 'deployment_gate_errors', 'Failed requests among those that the gates judge by.', [
      'role',
      'release',
    ]),
    gateLatency: gauge(
      registry,
      'deployment_gate_latency_seconds',
      'Latency of the requests that the gates judge by.',
      ['role', 'release', 'quantile'],
    ),
  };
}
