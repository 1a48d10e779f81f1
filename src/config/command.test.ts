import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { splitCommand } from './command.ts';

const splits = [
  ['node server.js', ['node', 'server.js']],
  ['  node\t server.js  ', ['node', 'server.js']],
  [`node 'a b' "c d" e\\ f`, ['node', 'a b', 'c d', 'e f']],
  [`node --name=""`, ['node', '--name=']],
  [`node '' x`, ['node', '', 'x']],
  [`node "say \\"hi\\" \\\\"`, ['node', 'say "hi" \\']],
  [`node 'back\\slash' '$HOME | x'`, ['node', 'back\\slash', '$HOME | x']],
  ['node --price=5$ a$', ['node', '--price=5$', 'a$']],
  ['node \\$HOME \\| x', ['node', '$HOME', '|', 'x']],
  ['node "a|b; (c) > d & e"', ['node', 'a|b; (c) > d & e']],
  ['serve *.html', ['serve', '*.html']],
] as const;

for (const [text, words] of splits) {
  test(`splits ${text}`, () => {
    assert.deepEqual(splitCommand(text), { kind: 'words', words });
  });
}

const refusals = [
  ['', 'names no program'],
  ['   ', 'names no program'],
  [`'' x`, 'names no program'],
  [`node 'a`, "has a ' that is not closed"],
  ['node "a', 'has a " that is not closed'],
  ['node a\\', 'ends with a backslash'],
  ['node\0', 'holds a NUL character'],
  ['node server.js && echo done', 'needs a shell for its &'],
  ['node server.js | tee log', 'needs a shell for its |'],
  ['node server.js > log', 'needs a shell for its >'],
  ['node --port $PORT', 'needs a shell for its $'],
  ['node --port "${PORT}"', 'needs a shell for its $'],
  ['node `which x`', 'needs a shell for its `'],
] as const;

for (const [text, problem] of refusals) {
  test(`refuses ${JSON.stringify(text)}, which ${problem}`, () => {
    const result = splitCommand(text);
    assert.equal(result.kind === 'problem' ? result.problem : undefined, problem);
  });
}

test('words in single quotes come out exactly as they went in', () => {
  const word = fc.string({ unit: 'binary' }).filter((text) => !/['\0]/.test(text));
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const line = ['program', ...words.map((text) => `'${text}'`)].join(' ');
      assert.deepEqual(splitCommand(line), { kind: 'words', words: ['program', ...words] });
    }),
  );
});

test('every text is either split into a program with arguments or refused with a remedy', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const result = splitCommand(text);
      if (result.kind === 'words') assert.ok(result.words.length > 0 && result.words[0] !== '');
      else assert.match(result.remedy, /\.$/);
    }),
  );
});
