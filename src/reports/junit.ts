// Reads JUnit XML, as nearly every test runner writes it: each test case, and whether it failed or was skipped.

import type { TestFacts } from '../core/decision/facts.ts';
import { badReport } from './report-file.ts';
import { descendants, parseXml, type Element } from './xml.ts';

export function readJunit(text: string, file: string): TestFacts {
  const root = parseXml(text, file);
  if (root.name !== 'testsuites' && root.name !== 'testsuite')
    throw badReport(file, `is no JUnit report: it begins with <${root.name}>`);
  const facts = { total: 0, failed: 0, skipped: 0 };
  for (const test of descendants(root, 'testcase')) {
    facts.total += 1;
    if (has(test, 'failure') || has(test, 'error')) facts.failed += 1;
    else if (has(test, 'skipped') || test.attributes['status'] === 'disabled') facts.skipped += 1;
  }
  return facts.total > 0 ? facts : countedBySuites(root, file);
}

const has = (element: Element, name: string): boolean => element.children.some((child) => child.name === name);

/** A report that names no test case still says how many there were. */
function countedBySuites(root: Element, file: string): TestFacts {
  const suites = root.name === 'testsuite' ? [root] : root.children.filter(({ name }) => name === 'testsuite');
  const sum = (attribute: string): number =>
    suites.reduce((total, suite) => total + wholeNumber(suite.attributes[attribute] ?? '0', attribute, file), 0);
  const [total, failures, errors, skipped] = ['tests', 'failures', 'errors', 'skipped'].map(sum) as [
    number,
    number,
    number,
    number,
  ];
  const failed = failures + errors;
  if (failed + skipped > total)
    throw badReport(file, `says that ${failed + skipped} of ${total} tests failed or were skipped`);
  return { total, failed, skipped };
}

function wholeNumber(text: string, attribute: string, file: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw badReport(file, `says ${attribute}="${text.slice(0, 40)}", which is no number`);
}
