// Makes docs/reference/failures.md: every failure code and every exit code.

import { exitCodes, failureCatalogue } from '../src/base/failure-catalogue.ts';
import { generatedNotice, type ReferencePage, table } from './reference-page.ts';

const introduction = `Every error says what is wrong, where, and what to do about it. Each has a code that never changes its
meaning; \`--json\` prints it as \`code\`, beside \`message\`, \`remedy\`, and where they help \`at\` (the place) and \`details\`.`;

export function failuresPage(): ReferencePage {
  const failures = Object.entries(failureCatalogue).map(([code, { meaning, remedy, exit }]) => [
    `\`${code}\``,
    meaning,
    remedy,
    String(exitCodes[exit].code),
  ]);
  const exits = Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]);
  const text = [
    '# Failures',
    generatedNotice('src/base/failure-catalogue.ts'),
    introduction,
    '## Exit codes',
    table(['Exit code', 'Meaning'], exits),
    '## Failure codes',
    table(['Code', 'Meaning', 'What to do', 'Exit code'], failures),
  ].join('\n\n');
  return { path: 'docs/reference/failures.md', text: `${text}\n` };
}
