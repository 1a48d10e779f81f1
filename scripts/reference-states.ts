// Makes docs/reference/states.md: the states of a deployment, the table of their changes, and its diagram.

import { machine, type Row } from '../src/core/rollout/machine.ts';
import { finalStatuses, statuses, type Status } from '../src/core/rollout/status.ts';
import { generatedNotice, type ReferencePage, table } from './reference-page.ts';

const meanings: Readonly<Record<Status, string>> = {
  INIT: 'ordered; nothing has been done yet',
  BUILDING: 'the release is copied into the release store',
  DEPLOYING: 'the candidate is started, and becomes healthy and validated without traffic',
  CANARY: 'the routes for a stage are put in force',
  CANARY_WAITING: 'a stage waits for its minimum time and requests; its gates may end it at once',
  CANARY_EVALUATING: 'a stage has its minimum time and requests, and waits for its gates',
  PROMOTING: 'the candidate takes over all traffic, at once or batch by batch',
  PROMOTED: 'all traffic is on the candidate; it is no longer on trial',
  VERIFYING: 'validation and gates look behind the switch; the old release is taken away or kept warm',
  VERIFIED: 'the candidate is the stable release',
  PAUSED: 'a person paused it, or a hold ended without a conclusion; traffic stays as it is',
  AWAITING_APPROVAL: 'a person must promote',
  ROLLING_BACK: 'traffic goes back to stable first, then the candidate is taken away',
  ROLLED_BACK: 'everything is as it was before',
  FAILED: 'going back did not succeed or cannot be trusted: a person must look',
};

const introduction = `A deployment is always in one of these states, and only the changes in the table are possible; each one is recorded with
its time, its cause and who or what caused it. The rows of the table are \`src/core/rollout/machine.ts\` itself.`;

export function statesPage(): ReferencePage {
  const states = statuses.map((status) => [
    `\`${status}\``,
    meanings[status],
    finalStatuses.includes(status) ? 'yes' : '',
  ]);
  const changes = machine.map((row) => [`\`${row.from}\``, `\`${row.to}\``, row.when, row.on.join(', ')]);
  const text = [
    '# States of a deployment',
    generatedNotice('src/core/rollout/machine.ts'),
    introduction,
    '## States',
    table(['State', 'Meaning', 'Final'], states),
    '## The way forward, and back',
    `\`\`\`mermaid\n${diagram()}\n\`\`\``,
    'Left out of the diagram: everything that is not final may be paused and resumed (`PAUSED`).',
    '## Every change',
    table(['From', 'To', 'When', 'On'], changes),
  ].join('\n\n');
  return { path: 'docs/reference/states.md', text: `${text}\n` };
}

/** The changes that people think of; pauses would only hide them. */
function diagram(): string {
  const shown = machine.filter((row) => row.from !== 'PAUSED' && row.to !== 'PAUSED');
  const edges = [...new Set(shown.map((row: Row) => `  ${row.from} --> ${row.to}`))];
  return ['stateDiagram-v2', '  [*] --> INIT', ...edges, ...finalStatuses.map((status) => `  ${status} --> [*]`)].join(
    '\n',
  );
}
