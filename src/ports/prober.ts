// The prober port: carries out validation and health checks against an address.

import type { Address } from '../core/instance.ts';
import type { CheckOutcome, ValidationCheck } from '../core/validation/check.ts';

export interface ProbeTarget {
  /** The address under test; paths in checks are relative to it. */
  readonly address: Address;
  readonly tls: boolean;
}

export interface Prober {
  /** Carries out one check with its attempts; never rejects for what it finds, only when `signal` aborts. */
  probe(check: ValidationCheck, target: ProbeTarget, signal?: AbortSignal): Promise<CheckOutcome>;
}
