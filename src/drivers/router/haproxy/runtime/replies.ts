// Reads HAProxy's answers strictly: to a wrong order it says so in words only, and words that are not expected are a refusal.

import { Failure } from '../../../../base/failure.ts';

/** One server as HAProxy has it. */
export interface ServerState {
  readonly backend: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Not in maintenance and not being drained: it may have new requests. */
  readonly admitted: boolean;
  /** Admitted, and not found dead by checks. */
  readonly up: boolean;
}

const longestWords = 400;

/** HAProxy's own words, bounded. */
export function refused(order: string, answer: string): Failure {
  const words = answer.trim().replaceAll(/\s+/g, ' ').slice(0, longestWords);
  if (/permission denied/i.test(answer)) return wrongLevel(words);
  return new Failure('router.refused', `HAProxy did not take \`${order.slice(0, 120)}\`: ${words || 'no answer'}`, {
    remedy: 'Run `sluice deploy` again; if it stays, look whether the configuration that Sluice wrote is still loaded.',
  });
}

export function wrongLevel(level: string): Failure {
  return new Failure('router.access', `HAProxy’s Runtime API gives Sluice too few rights there: ${level}.`, {
    at: 'router.haproxy.socket',
    remedy: 'Write `level admin` at this `stats socket` in `global`, then restart HAProxy.',
  });
}

/** Names of the maps that are loaded from files, as HAProxy sees their paths. */
export function mapFiles(answer: string): readonly string[] {
  return [...answer.matchAll(/^-?\d+ \(([^)\n]+)\) /gm)].map((match) => match[1] ?? '');
}

/** Entries of one map. */
export function mapContents(order: string, answer: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const line of lines(answer)) {
    const match = /^0x[0-9a-f]+ (\S+) (\S+)$/.exec(line);
    if (match === null) throw refused(order, answer);
    entries.set(match[1] ?? '', match[2] ?? '');
  }
  return entries;
}

/** Bits of `srv_admin_state`: maintenance by order, inherited or by name resolution; drain by order or inherited. */
const notAdmitted = 0x01 | 0x02 | 0x20 | 0x08 | 0x10;

export function serverStates(order: string, answer: string): readonly ServerState[] {
  const [version, header = '', ...rows] = lines(answer);
  if (version !== '1' || !header.startsWith('# ')) throw refused(order, answer);
  const names = header.slice(2).split(' ');
  return rows.map((row) => {
    const values = new Map(row.split(' ').map((value, index) => [names[index] ?? '', value]));
    const text = (name: string): string => values.get(name) ?? '';
    const admitted = (number(order, text('srv_admin_state')) & notAdmitted) === 0;
    return {
      backend: text('be_name'),
      name: text('srv_name'),
      host: text('srv_addr'),
      port: number(order, text('srv_port')),
      admitted,
      up: admitted && number(order, text('srv_op_state')) > 0,
    };
  });
}

export interface StatRow {
  readonly proxy: string;
  /** `FRONTEND`, `BACKEND` or the server's name. */
  readonly name: string;
  number(column: string): number;
  text(column: string): string;
}

export function statRows(order: string, answer: string): readonly StatRow[] {
  const [header = '', ...rows] = lines(answer);
  if (!header.startsWith('# pxname,svname,')) throw refused(order, answer);
  const columns = new Map(
    header
      .slice(2)
      .split(',')
      .map((name, index) => [name, index]),
  );
  return rows.map((row) => {
    const values = row.split(',');
    const text = (column: string): string => values[columns.get(column) ?? -1] ?? '';
    return {
      proxy: values[0] ?? '',
      name: values[1] ?? '',
      number: (column) => number(order, text(column) || '0'),
      text,
    };
  });
}

/** One line of `show info`; undefined where HAProxy does not tell it. */
export function infoValue(answer: string, name: string): string | undefined {
  return lines(answer)
    .find((line) => line.startsWith(`${name}: `))
    ?.slice(name.length + 2);
}

function lines(answer: string): readonly string[] {
  return answer.split('\n').filter((line) => line !== '');
}

function number(order: string, text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value)) throw refused(order, `${JSON.stringify(text)} where a number should be`);
  return value;
}
