import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as holds, property, string } from 'fast-check';
import { equalTo, fillPromql, promqlProblem } from './promql.ts';
import { templatedQuery } from './templates.ts';

const values = { release: 'shop@0123', service: 'shop', environment: 'production', windowSeconds: 60 };

test('values stand inside quotes, and the window stands anywhere', () => {
  const query = 'sum(rate(http_requests_total{release="{{release}}", job=\'{{ service }}\'}[{{window}}]))';
  assert.equal(fillPromql(query, values), 'sum(rate(http_requests_total{release="shop@0123", job=\'shop\'}[60s]))');
});

test('a value cannot end the quotes that it stands in', () => {
  const release = `x"} or vector(1) # \\ ' \n`;
  assert.equal(fillPromql('up{r="{{release}}"}', { ...values, release }), `up{r="x\\"} or vector(1) # \\\\ \\' \\n"}`);
  assert.equal(fillPromql("up{r='{{release}}'}", { ...values, release: "a'b" }), "up{r='a\\'b'}");
});

test('whatever a value is, the query has the same pieces of code', () => {
  holds(
    property(string({ unit: 'binary' }), (release) => {
      const filled = fillPromql('up{r="{{release}}"} > 0', { ...values, release });
      assert.match(filled, /^up\{r="(?:[^"\\\n]|\\.)*"\} > 0$/su);
    }),
  );
});

test('inside a pattern a value stands for itself', () => {
  const release = 'a.b|.*';
  assert.equal(fillPromql('up{r=~"{{release}}-.+"}', { ...values, release }), String.raw`up{r=~"a\\.b\\|\\.\\*-.+"}`);
  assert.equal(fillPromql('up{r!~ "{{release}}"}', { ...values, release }), String.raw`up{r!~ "a\\.b\\|\\.\\*"}`);
  assert.equal(fillPromql('up{r="{{release}}"}', { ...values, release }), 'up{r="a.b|.*"}');
});

test('comments are left out, whatever stands in them', () => {
  assert.equal(fillPromql('up # of "{{nobody}}"\n> 0 # it\'s', values), 'up \n> 0 ');
  assert.equal(promqlProblem("up # it's {{nobody}}"), undefined);
  assert.equal(fillPromql('up{a="#{{service}}"}', values), 'up{a="#shop"}');
});

test('placeholders that mean nothing, or would become part of the query, are refused', () => {
  assert.match(promqlProblem('up{r="{{relase}}"}')?.problem ?? '', /\{\{relase\}\}, which stands for nothing/);
  assert.match(promqlProblem('up{r={{release}}}')?.problem ?? '', /outside of quotes/);
  assert.match(promqlProblem('up{r=`{{release}}`}')?.problem ?? '', /between backticks/);
  assert.match(promqlProblem('up{r="{{release}}}')?.problem ?? '', /not closed/);
  assert.equal(promqlProblem('sum by (le) (rate(x{r="{{release}}"}[{{window}}]))'), undefined);
});

test('the text of a label is quoted, and placeholders in it still stand for something', () => {
  assert.equal(equalTo('path', 'a"b\\c'), 'path="a\\"b\\\\c"');
  assert.equal(fillPromql(`up{${equalTo('r', '{{service}}:{{release}}')}}`, values), 'up{r="shop:shop@0123"}');
});

test('a release that never failed has an error rate of 0, not none', () => {
  const { query, samples } = templatedQuery({
    kind: 'errorRate',
    metric: 'requests_total',
    errors: { code: '5..' },
    labels: { release: '{{release}}' },
  });
  assert.equal(
    fillPromql(query, values),
    '(sum(rate(requests_total{release="shop@0123",code=~"5.."}[60s])) or vector(0)) / sum(rate(requests_total{release="shop@0123"}[60s]))',
  );
  assert.equal(fillPromql(samples ?? '', values), 'sum(increase(requests_total{release="shop@0123"}[60s]))');
});

test('quantiles come from classic and from native histograms', () => {
  const template = { kind: 'quantile', histogram: 'd', quantile: 0.95, labels: { r: '{{release}}' } } as const;
  assert.equal(
    fillPromql(templatedQuery({ ...template, native: false }).query, values),
    'histogram_quantile(0.95, sum by (le) (rate(d_bucket{r="shop@0123"}[60s])))',
  );
  assert.equal(
    fillPromql(templatedQuery({ ...template, native: true }).query, values),
    'histogram_quantile(0.95, sum(rate(d{r="shop@0123"}[60s])))',
  );
});
