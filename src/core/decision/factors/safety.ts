// The factor "safety checks": what build, tests, lint and security scan said. The weakest of them counts.

import type { FindingFacts, SafetyFacts, TestFacts } from '../facts.ts';
import { assessed, counted, unknown, type Assessed } from './factor.ts';

export function safetyFactor(facts: SafetyFacts | undefined): Assessed {
  const parts = partsOf(facts ?? {});
  const [first, ...others] = parts;
  if (first === undefined) return unknown('no result of build, tests, lint or security scan was given');
  const weakest = others.reduce((low, part) => (part.value < low.value ? part : low), first);
  const reasons = parts.map(({ reason }) => reason).join(', ');
  if (facts?.tests !== undefined) return assessed(weakest.value, reasons);
  return assessed(
    Math.min(weakest.value, mostWithoutTests),
    `${reasons}; without test results at most ${mostWithoutTests}`,
  );
}

const mostWithoutTests = 70;

function partsOf({ build, tests, lint, security }: SafetyFacts): readonly Assessed[] {
  return [
    ...(build === undefined ? [] : [assessed(build === 'passed' ? 100 : 0, `the build ${build}`)]),
    ...(tests === undefined ? [] : [testPart(tests)]),
    ...(security === undefined ? [] : [securityPart(security)]),
    ...(lint === undefined ? [] : [lintPart(lint)]),
  ];
}

function testPart({ total, failed, skipped }: TestFacts): Assessed {
  const ran = total - skipped;
  if (ran <= 0) return assessed(30, total === 0 ? 'no test ran' : `all ${total} tests were skipped`);
  if (failed > 0) return assessed(20 * (1 - failed / ran), `${failed} of ${counted(ran, 'test')} failed`);
  const left = skipped === 0 ? '' : `, ${skipped} skipped`;
  return assessed(100 - (30 * skipped) / total, `${counted(ran, 'test')} passed${left}`);
}

/** One serious finding is too many, however few there are beside it. */
function securityPart({ errors, warnings }: FindingFacts): Assessed {
  const words = `security: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`;
  return assessed(errors > 0 ? Math.max(0, 30 - 5 * errors) : Math.max(50, 100 - 5 * warnings), words);
}

function lintPart({ errors, warnings }: FindingFacts): Assessed {
  const words = `lint: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`;
  return assessed(Math.max(errors > 0 ? 40 : 80, 100 - 10 * errors - warnings / 5), words);
}
