import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from '../base/failure.ts';
import { readCoverage } from './coverage.ts';
import { readJunit } from './junit.ts';
import { readSarif } from './sarif.ts';
import { parseXml } from './xml.ts';

const refuses = (read: () => unknown, message: RegExp): void => {
  assert.throws(read, (error: Failure) => error.code === 'report.invalid' && message.test(error.message));
};

test('JUnit: test cases are counted wherever they stand, failures and errors alike', () => {
  const report = `<?xml version="1.0"?>
    <testsuites tests="99">
      <testsuite name="a"><testcase name="1"/><testcase name="2"><failure message="x &lt; y">at <![CDATA[<b>]]></failure></testcase>
        <testsuite name="inner"><testcase name="3"><error/></testcase></testsuite></testsuite>
      <testsuite name="b"><testcase name="4"><skipped/></testcase><testcase name="5"><system-out>ok</system-out></testcase></testsuite>
    </testsuites>`;
  assert.deepEqual(readJunit(report, 'junit.xml'), { total: 5, failed: 2, skipped: 1 });
  const single = '<testsuite><testcase/><testcase status="disabled"/></testsuite>';
  assert.deepEqual(readJunit(single, 'junit.xml'), { total: 2, failed: 0, skipped: 1 });
});

test('JUnit: a report without test cases is believed by its numbers, where they add up', () => {
  const suite = (attributes: string): string => `<testsuites><testsuite ${attributes}/></testsuites>`;
  assert.deepEqual(readJunit(suite('tests="8" failures="1" errors="1" skipped="2"'), 'j'), {
    total: 8,
    failed: 2,
    skipped: 2,
  });
  assert.deepEqual(readJunit('<testsuites/>', 'j'), { total: 0, failed: 0, skipped: 0 });
  refuses(() => readJunit(suite('tests="1" failures="2"'), 'j'), /says that 2 of 1 tests failed/);
  refuses(() => readJunit(suite('tests="many"'), 'j'), /tests="many", which is no number/);
});

const bomb = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, index) => `<!ENTITY lol${index} "${`&lol${index - 1};`.repeat(10)}">`).join('')}]><testsuites>&lol8;</testsuites>`;

const notXml: readonly (readonly [string, string, RegExp])[] = [
  ['an entity bomb', bomb, /declares entities/],
  [
    'an entity that reads a file',
    '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><testsuites>&f;</testsuites>',
    /declares entities/,
  ],
  ['an element that is not closed', '<testsuites><testsuite></testsuites>', /is not XML/],
  ['text', 'all tests passed', /is not XML|has no element/],
  ['nothing', '', /is not XML|has no element/],
  ['a page of HTML', '<html><body/></html>', /is no JUnit report: it begins with <html>/],
  ['elements without end', `${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}`, /is not XML/],
];

for (const [what, text, message] of notXml) {
  test(`JUnit: ${what} is refused`, () => refuses(() => readJunit(text, 'junit.xml'), message));
}

test('names that JavaScript gives a meaning of its own do no harm', () => {
  refuses(() => parseXml('<a><b constructor="1"/></a>', 'x'), /is not XML/);
  for (const text of ['<a><__proto__ x="2"/></a>', '<a __proto__="1"/>']) {
    try {
      parseXml(text, 'x');
    } catch (error) {
      assert.equal((error as Failure).code, 'report.invalid');
    }
  }
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

function sarif(results: readonly object[], rules: readonly object[] = []): string {
  return JSON.stringify({ version: '2.1.0', runs: [{ tool: { driver: { name: 't', rules } }, results }] });
}

test('SARIF: findings count by their level, or their rule’s; what was accepted or is gone does not', () => {
  const rules = [
    { id: 'low', defaultConfiguration: { level: 'note' } },
    { id: 'high', properties: { 'security-severity': '9.1' } },
  ];
  const results = [
    { ruleId: 'x', level: 'error' },
    { ruleId: 'x' },
    { ruleId: 'low' },
    { ruleId: 'high' },
    { ruleIndex: 1, level: 'note' },
    { level: 'error', suppressions: [{ kind: 'inSource' }] },
    { level: 'error', suppressions: [{ kind: 'external', status: 'rejected' }] },
    { level: 'error', baselineState: 'absent' },
    { level: 'error', kind: 'pass' },
  ];
  assert.deepEqual(readSarif(`\u{FEFF}${sarif(results, rules)}`, 's'), { errors: 4, warnings: 1 });
  const noResults = JSON.stringify({ version: '2.1.0', runs: [{ tool: { driver: {} }, results: null }] });
  assert.deepEqual(readSarif(noResults, 's'), { errors: 0, warnings: 0 });
});

test('SARIF: what is none is refused with the place', () => {
  refuses(() => readSarif('{', 's'), /is not JSON/);
  refuses(() => readSarif('{"version":"1.0","runs":[]}', 's'), /version: not version 2/);
  refuses(() => readSarif(sarif([{ level: 'fatal' }]), 's'), /runs\.0\.results\.0\.level/);
});

test('LCOV: lines of a file that is told several times are put together', () => {
  const text =
    'TN:\nSF:src/a.js\nFN:1,f\nDA:1,1\nDA:2,0,abc\nend_of_record\nSF:src/a.js\nDA:2,3\nDA:4,-1\nend_of_record\n';
  const { files } = readCoverage(text, 'lcov.info');
  assert.deepEqual(
    [...(files.get('src/a.js') ?? [])],
    [
      [1, 1],
      [2, 3],
      [4, 0],
    ],
  );
});

test('Cobertura: lines of classes count once, with or without the usual DOCTYPE', () => {
  const body = `<coverage><sources><source>/app/src</source></sources><packages><package><classes>
    <class filename="a.py"><methods><method><lines><line number="1" hits="5"/></lines></method></methods>
      <lines><line number="1" hits="5"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>`;
  const doctype = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">';
  for (const text of [body, `<?xml version="1.0" ?>\n${doctype}\n${body}`]) {
    const { files, roots } = readCoverage(text, 'coverage.xml');
    assert.deepEqual(
      [...(files.get('a.py') ?? [])],
      [
        [1, 5],
        [2, 0],
      ],
    );
    assert.deepEqual(roots, ['/app/src']);
  }
});

test('coverage: what is neither form, or has text where numbers belong, is refused', () => {
  refuses(() => readCoverage('hello', 'c'), /neither LCOV nor Cobertura/);
  refuses(() => readCoverage('SF:a\nDA:one,2\n', 'c'), /is no LCOV report: line 2/);
  refuses(() => readCoverage('DA:1,2\n', 'c'), /is no LCOV report: line 1/);
  refuses(() => readCoverage('<report/>', 'c'), /is no Cobertura report/);
  refuses(
    () =>
      readCoverage('<coverage><class filename="a"><lines><line number="x" hits="1"/></lines></class></coverage>', 'c'),
    /a line of a without numbers/,
  );
});
