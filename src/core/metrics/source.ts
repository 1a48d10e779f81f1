// Metric sources as a specification names them: where to ask, with which credentials, and for how long.

import type { SecretReference } from '../../base/secret-reference.ts';

export type Credentials =
  | { readonly kind: 'bearer'; readonly token: SecretReference }
  | { readonly kind: 'basic'; readonly user: string; readonly password: SecretReference };

export interface WebSource {
  /** Without user and password. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | SecretReference>>;
  readonly credentials?: Credentials | undefined;
  /** Absolute path of a PEM file with the authorities that are trusted besides the usual ones. */
  readonly ca?: string | undefined;
  /** How long one question may take, milliseconds. */
  readonly withinMs: number;
  /** A number measured longer ago than this says nothing about now. Milliseconds. */
  readonly staleMs: number;
}

/** The root of a Prometheus HTTP API: `/api/v1/query` is asked below it. */
export interface PrometheusSource extends WebSource {
  readonly driver: 'prometheus';
}

/** A URL with placeholders that answers with JSON; questions are JSON paths. */
export interface HttpSource extends WebSource {
  readonly driver: 'http';
}

/** A program that writes one number; it is told what is asked in variables. */
export interface CommandSource {
  readonly driver: 'command';
  readonly command: readonly string[];
  /** Absolute. */
  readonly workingDirectory: string;
  /** Variables besides a few usual ones and those that say what is asked. */
  readonly environment: Readonly<Record<string, string | SecretReference>>;
  readonly withinMs: number;
}

export type MetricSource = PrometheusSource | HttpSource | CommandSource | { readonly driver: 'memory' };

/** `prometheus at http://127.0.0.1:9090`, `command ./count.sh`. */
export function sourceWords(source: MetricSource): string {
  if (source.driver === 'memory') return 'memory';
  return source.driver === 'command' ? `command ${source.command[0] ?? ''}` : `${source.driver} at ${source.url}`;
}
