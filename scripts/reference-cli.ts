// Makes docs/reference/cli.md from the definitions of the commands and the table of exit codes.

import type { Argument, Command, Option } from 'commander';
import { exitCodes } from '../src/base/failure-catalogue.ts';
import { paragraphs } from '../src/cli/help.ts';
import { commandEntries, createProgram, defineCommand } from '../src/cli/program.ts';
import { generatedNotice, type ReferencePage, table } from './reference-page.ts';

const program = createProgram(() => async () => {});
for (const entry of commandEntries) {
  const command = program.commands.find((one) => one.name() === entry.name);
  if (command !== undefined) await defineCommand(entry, command, () => async () => {});
}

const introduction = `\`sluice\` asks the server that \`--server\` names, or the one that listens at the socket in its home directory. With no server
it does the same in its own process, which is then the controller until the command ends. While such a command carries something
out, others on the same machine reach it as they would a server.

Results go to stdout; what is wrong, questions and notes go to stderr. Terminals get colours and a block that is drawn in place;
pipes and files get one line per record. Text from outside (labels, reasons, log lines) is printed without control characters.`;

const json = `With \`--json\` stdout has JSON and nothing else: one object, or one per line for what goes on over time. Nothing is asked.
Errors too: \`{"error":{"code","message","remedy","at"?,"details"?}}\` on stdout, as the only or the last line; [failures.md](failures.md)
lists the codes. The shapes within are those of the [HTTP API](api.md).`;

const jsonForms: readonly (readonly [string, string])[] = [
  ['init', '`{"file", …answers}`'],
  ['config check', '`{"valid": true, "file", "service", "environments"}`'],
  ['config show', 'the specification of the environment'],
  ['plan, deploy --dry-run, rollback --dry-run, adopt --dry-run', '`{"plan", "digest"}`'],
  [
    'deploy, adopt, rollback, abort, status --watch',
    'lines: `{"kind": "deployment", "deployment"}` first, then `{"kind": "record", "record"}` and `{"kind": "live", "scope", "deployment", "live"}`, and `{"kind": "end", "deployment", "exitCode"}` last',
  ],
  ['promote, resume', 'with a server and without `--follow`: `{"deployment"}`; otherwise lines as `deploy`'],
  ['pause, and with a server --detach', '`{"deployment"}`'],
  ['status', '`{"scopes": [{…status, "served", "last"?}]}`; also `status --watch` with nothing under way'],
  ['history', '`{"deployments": […]}`, newest first'],
  ['history show', '`{"rollout", "records"}`'],
  ['logs', 'lines: `{"at"?, "release", "instance", "stream", "text"}`'],
  ['validate', '`{"passed", "checks"}`'],
  [
    'judge',
    '`{"verdict": "abort" | "promote" | "inconclusive", "atSeconds", "reason", "badRequests", "candidateRequests", "wealth", "lines", "unreadableLines", "problems", "backwards", "ignoredSettings", "notes"}`; with `--evidence` also `"overTime"`, `"checks"`, `"evidence"` and `"gate"`',
  ],
  [
    'confidence',
    '`{"confidence": [{"point", "score", "outcome", "goOn", "ask", "factors": [{"name", "value", "weight", "reason"}]}], "facts"}`',
  ],
  ['gate explain', '`{"question", "candidatePerSecond", "aborts", "pass", "margins", "costs"}`'],
  ['prune', '`{"releases", "instances", "dryRun"}`'],
  ['server', 'line: `{"kind": "listening", "addresses"}`'],
];

const exits = `How a command that follows a deployment ends is told by its exit code: \`deploy\`, \`rollback\` and \`status --watch\` give 0 for
VERIFIED, 1 for ROLLED_BACK, 3 for PAUSED and AWAITING_APPROVAL, 5 for FAILED. \`judge\` tells its verdict in the same way: 0 for
promote, 1 for abort, 3 for inconclusive; \`confidence\` gives 0 where it would go on, 1 where it would go back, 3 where it would ask. For \`abort\`, ROLLED_BACK is what was wanted: 0. A command
that was ended before the outcome was known exits with 128 and the signal’s number: 130 after Ctrl-C, 143 after SIGTERM, and 141 when
nobody reads its output any more. Following logs ends with 0 in each case.`;

const interruption = `**Ctrl-C, SIGTERM** and a closed terminal end following. With a server the deployment goes on; \`sluice status --watch\` follows it
again. Without one, this process brings the deployment back to the stable release first; a second Ctrl-C leaves at once, and traffic
then stays as it is until the next \`sluice\` takes the deployment up.

**Waiting for a person.** On a terminal a deployment is watched on while it waits. In a script (no terminal, or \`--json\`) with a server the
command exits with 3, and the server waits. In a script without a server it stays, because it is the controller: the gates go on judging,
and \`sluice promote\`, \`resume\` or \`abort\` from elsewhere on the machine reaches it. \`--detach\` lets it exit with 3 instead; nobody
judges then until the next command takes the deployment up.`;

const variables: readonly (readonly [string, string])[] = [
  ['SLUICE_HOME', 'where Sluice keeps its state; `--home` wins over it'],
  ['SLUICE_SERVER', 'the server to ask: a URL, or the path of its socket; `--server` wins over it'],
  ['SLUICE_TOKEN', 'the server’s token; for `sluice server`, the token that it asks for'],
  ['NO_COLOR', 'no colours, whatever its value; so does `TERM=dumb`'],
];

export function cliPage(): ReferencePage {
  const visible = commandEntries.flatMap(({ name }) => program.commands.filter((command) => command.name() === name));
  const text = [
    '# Command line',
    generatedNotice('src/cli/commands'),
    introduction,
    table(
      ['Command', 'What it does'],
      visible.flatMap(withBelow).map((command) => [`[\`${pathOf(command)}\`](#${anchor(command)})`, command.summary()]),
    ),
    '## Global options',
    'They can stand before or after the command.',
    optionsTable(program),
    '## Environment variables',
    table(
      ['Variable', 'Meaning'],
      variables.map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
    '## Exit codes',
    table(
      ['Exit code', 'Meaning'],
      Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]),
    ),
    exits,
    '## Leaving and waiting',
    interruption,
    '## JSON',
    json,
    table(
      ['Command', 'stdout'],
      jsonForms.map(([command, form]) => [command, form]),
    ),
    ...visible.flatMap(withBelow).map(section),
  ].join('\n\n');
  return { path: 'docs/reference/cli.md', text: `${text}\n` };
}

/** A command and those below it. */
function withBelow(command: Command): readonly Command[] {
  return [command, ...command.commands];
}

/** `sluice history show`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function anchor(command: Command): string {
  return pathOf(command).replaceAll(' ', '-');
}

function section(command: Command): string {
  const parts = [
    `## ${pathOf(command)}`,
    `\`${pathOf(command)} ${command.usage()}\``,
    paragraphs(command.description()),
  ];
  if (command.registeredArguments.length > 0) parts.push(operandsTable(command.registeredArguments));
  if (command.options.length > 0) parts.push(optionsTable(command));
  const examples = examplesOf(command);
  if (examples !== undefined) parts.push(`\`\`\`console\n${examples}\n\`\`\``);
  return parts.join('\n\n');
}

function operandsTable(operands: readonly Argument[]): string {
  return table(
    ['Operand', 'Meaning'],
    operands.map((operand) => [`\`${operand.name()}\``, operand.description]),
  );
}

function optionsTable(command: Command): string {
  return table(
    ['Option', 'Meaning'],
    command.options.map((option: Option) => [`\`${option.flags}\``, meaningOf(option)]),
  );
}

function meaningOf(option: Option): string {
  const fallback: unknown = option.defaultValue;
  return typeof fallback === 'string' ? `${option.description} (default: ${fallback})` : option.description;
}

/** The examples of the help page, as they are typed, each with what it does as a comment above it. */
function examplesOf(command: Command): string | undefined {
  let written = '';
  command.configureOutput({ writeOut: (text) => (written += text), getOutHelpWidth: () => 1000 });
  command.outputHelp();
  const block = written.split('\nExamples:\n')[1]?.split('\n\n')[0];
  return block
    ?.split(/\n(?= {2}\S)/)
    .map((example) => example.split('\n').map((line) => line.trim()))
    .map(([line = '', what = '']) => `# ${what}\n${line}`)
    .join('\n');
}
