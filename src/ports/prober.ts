// The prober port: carries out validation and health checks against an address.

import type { Address } from '../core/instance.ts';
import type { CheckOutcome, ValidationCheck } from '../core/validation/check.ts';

export interface ProbeTarget {
  /** The address under test; paths in checks are relative to it. */
  readonly address: Address;
  readonly tls: boolean;
  /** What users call it, where that decides who answers: the header `Host` unless a check has its own, and the name in TLS. */
  readonly name?: string | undefined;
}

export interface Prober {
  /** Carries out one check with its attempts; never rejects for what it finds, only when `signal` aborts. */
  probe(check: ValidationCheck, target: ProbeTarget, signal?: AbortSignal): Promise<CheckOutcome>;
}
