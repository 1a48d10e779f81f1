// The processes of an instance: its process group, made sure to be its own, and the ending of it.

import { Failure } from '../../../base/failure.ts';
import { isCode } from '../../../base/system-error.ts';
import type { Clock } from '../../../ports/clock.ts';
import { tokenVariable } from './environment.ts';
import type { InstanceRecord } from './instance-record.ts';
import type { ProcessEntry, ProcessIdentity, ProcessTable } from './process-table.ts';

/** How long the kernel may need to end what was killed. */
const killedMs = 15_000;

/**
 * Whether anything of the instance's group runs. Asked again and again while an instance ends, so the whole process table is looked
 * through only where the leader is gone and others of its group are not.
 */
export async function anythingRuns(table: ProcessTable, record: InstanceRecord): Promise<boolean> {
  const identity = record.process;
  if (identity === undefined || identity.boot !== (await table.boot())) return false;
  const leader = await table.entry(identity.pid);
  if (leader !== undefined && !leader.zombie) return leader.startTime === identity.startTime;
  if (!groupExists(identity.pid)) return false;
  return (await runningMembers(table, record, await table.entries())).length > 0;
}

/** Whether any process has the group, whoever it belongs to; zombies count. */
function groupExists(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch (error) {
    return !isCode(error, 'ESRCH');
  }
}

/**
 * The processes of the instance's group that still run. While its leader is there (if only as a zombie), its start time proves
 * the group; the kernel gives a pid to nobody else as long as a group has it. Without a leader the members must carry the token.
 */
async function runningMembers(
  table: ProcessTable,
  record: InstanceRecord,
  entries: readonly ProcessEntry[],
): Promise<readonly number[]> {
  const identity = record.process;
  if (identity === undefined || identity.boot !== (await table.boot())) return [];
  const members = entries.filter((entry) => entry.group === identity.pid && !entry.zombie).map((entry) => entry.pid);
  if (members.length === 0) return [];
  const leader = entries.find((entry) => entry.pid === identity.pid);
  if (leader !== undefined) return leader.startTime === identity.startTime ? members : [];
  return table.withVariable(members, tokenVariable, record.token);
}

/**
 * Ends all processes of these instances: SIGTERM, and SIGKILL to what is left after `graceMs`. Resolves when none of them runs;
 * rejects with `instance.stuck` when even SIGKILL does not end one. Each group is proved to be the instance's own before each
 * signal.
 */
export async function endGroups(
  table: ProcessTable,
  clock: Clock,
  records: readonly InstanceRecord[],
  graceMs: number,
): Promise<void> {
  if (graceMs > 0) await signalGroups(await stillRunning(table, records), 'SIGTERM');
  let left = await waitForEnd(table, clock, records, graceMs);
  if (left.length === 0) return;
  await signalGroups(await stillRunning(table, left), 'SIGKILL');
  left = await waitForEnd(table, clock, left, killedMs);
  const [stuck] = left;
  if (stuck === undefined) return;
  throw new Failure(
    'instance.stuck',
    `Instance ${stuck.id} (pid ${stuck.process?.pid}) does not end, not even by SIGKILL.`,
    {
      at: `127.0.0.1:${stuck.port}`,
      remedy: 'Look at the process; a disk or network mount that hangs is the usual reason. Then stop it again.',
    },
  );
}

async function stillRunning(
  table: ProcessTable,
  records: readonly InstanceRecord[],
): Promise<readonly InstanceRecord[]> {
  const running = await Promise.all(records.map((record) => anythingRuns(table, record)));
  return records.filter((_, index) => running[index]);
}

async function signalGroups(records: readonly InstanceRecord[], signal: NodeJS.Signals): Promise<void> {
  for (const { id, process: identity } of records) {
    if (identity !== undefined) signalGroup(id, identity, signal);
  }
}

function signalGroup(id: string, identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    process.kill(-identity.pid, signal);
  } catch (error) {
    if (isCode(error, 'ESRCH')) return;
    throw new Failure('instance.stuck', `Instance ${id} (pid ${identity.pid}) may not be ended by this user.`, {
      remedy: 'Run Sluice as the user that started it.',
      cause: error,
    });
  }
}

/** Time is counted by what was slept: a clock that is set meanwhile changes nothing. */
async function waitForEnd(
  table: ProcessTable,
  clock: Clock,
  records: readonly InstanceRecord[],
  limitMs: number,
): Promise<readonly InstanceRecord[]> {
  let left = await stillRunning(table, records);
  for (let waitedMs = 0, stepMs = 5; left.length > 0 && waitedMs < limitMs; stepMs = Math.min(stepMs * 2, 50)) {
    const pauseMs = Math.min(stepMs, limitMs - waitedMs);
    await clock.sleep(pauseMs);
    waitedMs += pauseMs;
    left = await stillRunning(table, left);
  }
  return left;
}
