import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './parse.ts';
import { resolveEnvironment } from './resolve.ts';
import { renderTemplate, type TemplateAnswers } from './template.ts';

const answers: TemplateAnswers = {
  service: 'shop',
  directory: './dist',
  command: 'node server.js',
  listen: '8080',
  healthPath: '/health/ready',
  strategy: 'canary',
};

for (const strategy of ['blue-green', 'canary', 'rolling'] as const) {
  for (const healthPath of ['/health/ready', undefined]) {
    const name = `${strategy}, health by ${healthPath ?? 'port'}`;
    const text = renderTemplate({ ...answers, strategy, healthPath });

    test(`what is written is a good configuration with the answers in it (${name})`, () => {
      const spec = resolveEnvironment(parseConfig(text, 'sluice.yaml'), 'production', '/app');
      assert.equal(spec.strategy.kind, strategy);
      assert.equal(spec.health.path, healthPath);
      assert.deepEqual(spec.run.command, ['node', 'server.js']);
    });

    test(`every setting that is commented out is a good one too (${name})`, () => {
      const config = parseConfig(text.replaceAll(/^( *)#(?=\S)/gm, '$1'), 'sluice.yaml');
      assert.deepEqual(Object.keys(config.environments), ['staging', 'production']);
    });

    test(`every setting is explained above it (${name})`, () => {
      const lines = text.slice(0, text.indexOf('#environments:')).split('\n');
      const unexplained = lines.filter(
        (line, index) => /^ *#?[\w-]+:/.test(line) && !/^ *# /.test(lines[index - 1] ?? ''),
      );
      // Variables have names that explain themselves.
      assert.deepEqual(
        unexplained.map((line) => line.trim()),
        ['#NODE_ENV: production', '#DATABASE_URL: { fromFile: ./secrets/database-url }'],
      );
    });
  }
}

test('answers with special characters are written so that they are read again as they are', () => {
  const odd: TemplateAnswers = { ...answers, directory: 'a: b # "c"', command: `node 'x: y' "#z"`, listen: '[::1]:80' };
  const spec = resolveEnvironment(parseConfig(renderTemplate(odd), 'sluice.yaml'), 'production', '/app');
  assert.deepEqual(spec.source, { kind: 'directory', directory: '/app/a: b # "c"', ignore: ['.git', '.sluice'] });
  assert.deepEqual(spec.run.command, ['node', 'x: y', '#z']);
});

test('a name that looks like another kind of value stays text', () => {
  const text = renderTemplate({ ...answers, service: '123', directory: 'true' });
  assert.equal(parseConfig(text, 'sluice.yaml').service, '123');
});
