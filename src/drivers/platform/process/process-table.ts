// The processes of this machine: who runs, since when and in which group; a process is known by pid and start time, never by its pid alone.

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

// An import would read all names of the module, and load worker threads and more with them.
const run = process.getBuiltinModule('node:util').promisify(execFile);

export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own words; only compared for equality. */
  readonly startTime: string;
  /** The boot in which it started; empty where the system has no name for it. */
  readonly boot: string;
}

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly startTime: string;
  /** It ended, and its parent has not asked for its exit code. */
  readonly zombie: boolean;
}

export interface ProcessTable {
  /** The name of the running system's boot. */
  boot(): Promise<string>;
  entry(pid: number): Promise<ProcessEntry | undefined>;
  entries(): Promise<readonly ProcessEntry[]>;
  /** Those of `pids` whose environment says `variable=value`; unreadable environments do not. */
  withVariable(pids: readonly number[], variable: string, value: string): Promise<readonly number[]>;
}

/** The process table of the system we run on: /proc on Linux, `ps` elsewhere. */
export function systemProcessTable(platform: NodeJS.Platform = process.platform): ProcessTable {
  return platform === 'linux' ? linuxTable : psTable;
}

/** Whether exactly this process runs. */
export async function isRunning(table: ProcessTable, identity: ProcessIdentity): Promise<boolean> {
  if (identity.boot !== (await table.boot())) return false;
  const entry = await table.entry(identity.pid);
  return entry !== undefined && !entry.zombie && entry.startTime === identity.startTime;
}

let bootId: string | undefined;

const linuxTable: ProcessTable = {
  boot: async () => (bootId ??= (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()),
  entry: async (pid) => {
    const text = await readOrGone(`/proc/${pid}/stat`);
    return text === undefined ? undefined : parseStat(text.toString('latin1'));
  },
  entries: async () => {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const found = await Promise.all(pids.map((pid) => linuxTable.entry(pid)));
    return found.filter((entry) => entry !== undefined);
  },
  withVariable: async (pids, variable, value) => {
    const wanted = Buffer.from(`\0${variable}=${value}\0`);
    const carries = async (pid: number): Promise<boolean> => {
      const text = await readOrGone(`/proc/${pid}/environ`);
      return text !== undefined && Buffer.concat([Buffer.of(0), text, Buffer.of(0)]).includes(wanted);
    };
    const found = await Promise.all(pids.map(carries));
    return pids.filter((_, index) => found[index]);
  },
};

/** Reads a file of /proc; undefined when its process is gone or belongs to somebody else. */
async function readOrGone(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}

/**
 * One line of /proc/<pid>/stat. The program's name stands in parentheses and may hold anything, parentheses and spaces
 * included, so fields are counted from the last closing one: state is field 3, parent field 4, group field 5, start time field 22.
 */
export function parseStat(text: string): ProcessEntry | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const startTime = fields[19];
  if (state === undefined || group === undefined || startTime === undefined) return undefined;
  const zombie = state === 'Z' || state === 'X';
  return { pid: Number.parseInt(text, 10), parent: Number(parent), group: Number(group), startTime, zombie };
}

const psFormat = ['-o', 'pid=,ppid=,pgid=,stat=,lstart='];
const psOptions = { env: { PATH: process.env['PATH'], LC_ALL: 'C' }, maxBuffer: 64 * 1024 * 1024 };

const psTable: ProcessTable = {
  boot: async () => '',
  entry: async (pid) => (await psTable.entries()).find((entry) => entry.pid === pid),
  entries: async () => {
    const { stdout } = await run('ps', ['-A', ...psFormat], psOptions);
    return stdout
      .split('\n')
      .map(parsePs)
      .filter((entry) => entry !== undefined);
  },
  withVariable: async (pids, variable, value) => {
    // The one form that both the BSD and the Linux `ps` understand: the environment stands behind the command.
    const { stdout } = await run('ps', ['axeww', '-o', 'pid=,command='], psOptions);
    const wanted = ` ${variable}=${value} `;
    const carriers = new Set(
      stdout
        .split('\n')
        .filter((line) => `${line} `.includes(wanted))
        .map((line) => Number.parseInt(line, 10)),
    );
    return pids.filter((pid) => carriers.has(pid));
  },
};

/** One line of `ps -o pid=,ppid=,pgid=,stat=,lstart=`. */
export function parsePs(line: string): ProcessEntry | undefined {
  const [, pid, parent, group, state, startTime] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line) ?? [];
  if (pid === undefined || group === undefined || state === undefined || startTime === undefined) return undefined;
  return {
    pid: Number(pid),
    parent: Number(parent),
    group: Number(group),
    startTime,
    zombie: state.startsWith('Z'),
  };
}
