// What every prober must do, as tests: call `proberContract` in a test file of the driver with a way to build one and the world it asks.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SecretReference } from '../base/secret-reference.ts';
import type { CheckOutcome, HttpCheck, ValidationCheck } from '../core/validation/check.ts';
import {
  type Case,
  type ContractProgram,
  type ContractReply,
  httpCheck,
  limits,
  type ProberHarness,
  secretVariable,
  tcpCheck,
  type Within,
} from './prober-harness.ts';
import { openApiCases } from './prober-openapi.contract.ts';
import type { ProbeTarget } from './prober.ts';

/** Registers the suite. `make` is called once per test. */
export function proberContract(name: string, make: () => Promise<ProberHarness>): void {
  const within = (title: string, run: Case): void => {
    it(title, async () => {
      const harness = await make();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    });
  };
  describe(`${name} keeps the prober contract`, () => {
    httpCases(within);
    secretCases(within);
    attemptCases(within);
    abortCases(within);
    otherCases(within);
    openApiCases(within);
  });
}

/** Serves one reply at `/` and asks it. */
async function asked(harness: ProberHarness, reply: ContractReply, check: Partial<HttpCheck>): Promise<CheckOutcome> {
  const target = await harness.serve({ '/': [reply] });
  return harness.until(harness.prober.probe(httpCheck(check), target));
}

function httpCases(within: Within): void {
  within('a status in the range passes, and the outcome carries the check’s name', async (harness) => {
    const outcome = await asked(harness, { status: 204 }, {});
    assert.deepEqual(
      { ...outcome, durationMs: 0 },
      { name: 'GET /', passed: true, attempts: 1, durationMs: 0, reason: 'status 204' },
    );
  });

  within('a status outside of the range fails and says both', async (harness) => {
    const { passed, reason } = await asked(
      harness,
      { status: 503 },
      {
        status: [
          { from: 200, to: 299 },
          { from: 404, to: 404 },
        ],
      },
    );
    assert.equal(passed, false);
    assert.equal(reason, 'expected status 200-299, 404, got 503');
  });

  within('a redirect is an answer like any other and is not followed', async (harness) => {
    const target = await harness.serve({
      '/': [{ status: 302, headers: { location: '/elsewhere' } }],
      '/elsewhere': [{}],
    });
    const outcome = await harness.until(harness.prober.probe(httpCheck({}), target));
    assert.equal(outcome.reason, 'expected status 200-299, got 302, a redirect to "/elsewhere", which is not followed');
    assert.equal(harness.requests('/elsewhere'), 0);
  });

  within('method, headers, body and query arrive', async (harness) => {
    const target = await harness.serve({ '/items': [{ body: { echo: true } }] });
    const sent = { url: '/items?page=2', method: 'POST', headers: { 'X-Trial': 'one' }, body: 'two' };
    for (const contains of ['POST /items?page=2', 'x-trial: one', 'two']) {
      const outcome = await harness.until(harness.prober.probe(httpCheck({ ...sent, contains }), target));
      assert.equal(outcome.passed, true, outcome.reason);
    }
  });

  within('headers are judged by the text that they contain', async (harness) => {
    const reply = { headers: { 'content-type': 'text/html; charset=utf-8' } };
    assert.equal((await asked(harness, reply, { expectHeaders: { 'content-type': 'text/html' } })).passed, true);
    const wrong = await asked(harness, reply, { expectHeaders: { 'content-type': 'json' } });
    assert.equal(wrong.reason, 'expected the header content-type to contain "json", got "text/html; charset=utf-8"');
    const missing = await asked(harness, reply, { expectHeaders: { 'x-none': 'a' } });
    assert.equal(missing.reason, 'expected the header x-none to contain "a", there is no such header');
  });

  within('values in a JSON answer are judged by their path', async (harness) => {
    const reply = { body: JSON.stringify({ items: [{ id: 7, gone: null }], 'odd name': 'x' }) };
    const right = { 'items[0].id': 7, 'items[0].gone': null, '["odd name"]': 'x' };
    assert.equal((await asked(harness, reply, { expectJson: right })).passed, true);
    const wrong = await asked(harness, reply, { expectJson: { 'items[0].id': '7', 'items[1].id': 8 } });
    assert.equal(wrong.passed, false);
    assert.equal(
      wrong.reason,
      'expected items[0].id to be "7", got 7; expected items[1].id to be 8, there is nothing there',
    );
  });

  within('an answer that should be JSON and is not fails', async (harness) => {
    const { reason } = await asked(harness, { body: '<html>' }, { expectJson: { ok: true } });
    assert.equal(reason, 'expected JSON, got "<html>"');
  });

  within('text that the answer must contain is looked for', async (harness) => {
    assert.equal((await asked(harness, { body: 'all is well' }, { contains: 'is well' })).passed, true);
    const { reason } = await asked(harness, { body: 'all is\nlost' }, { contains: 'is well' });
    assert.equal(reason, 'expected the answer to contain "is well", got "all is lost"');
  });

  within('an answer beyond 1 MiB is not looked into, but its status counts', async (harness) => {
    const reply = { body: 'x'.repeat(1024 * 1024 + 1) };
    assert.equal((await asked(harness, reply, {})).passed, true);
    assert.equal((await asked(harness, reply, { contains: 'x' })).reason, 'the answer is too long to look into');
  });

  within('an answer that does not come in time fails', async (harness) => {
    const outcome = await asked(harness, { afterMs: 'never' }, { withinMs: 100 });
    assert.equal(outcome.passed, false);
    assert.equal(outcome.reason, 'expected the whole answer within 100ms, and it was not there by then');
  });

  within('where nothing listens, that is the reason', async (harness) => {
    const target = await harness.nobody();
    const { passed, reason } = await harness.until(harness.prober.probe(httpCheck({}), target));
    assert.equal(passed, false);
    assert.equal(reason, `nothing listens on ${target.address.host}:${target.address.port}`);
  });

  within('a full URL is asked instead of the release', async (harness) => {
    const [release, dependency] = [await harness.nobody(), await harness.serve({ '/health': [{}] })];
    const url = `http://${dependency.address.host}:${dependency.address.port}/health`;
    assert.equal((await harness.until(harness.prober.probe(httpCheck({ url }), release))).passed, true);
  });

  within('a URL that is none is a failed check, not an error', async (harness) => {
    const target = await harness.nobody();
    for (const url of ['', 'nowhere', 'http://', 'file:///etc/passwd', 'http://[zz]/']) {
      const outcome = await harness.until(harness.prober.probe(httpCheck({ url }), target));
      assert.deepEqual([outcome.passed, outcome.reason], [false, 'its URL cannot be read'], url);
    }
  });

  within('a path cannot lead to another host', async (harness) => {
    const target = await harness.serve({ '//elsewhere.invalid/x': [{}] });
    const outcome = await harness.until(harness.prober.probe(httpCheck({ url: '//elsewhere.invalid/x' }), target));
    assert.equal(outcome.passed, true, outcome.reason);
  });

  within('so many requests at once must all pass', async (harness) => {
    const target = await harness.serve({ '/': [{ body: 'ok' }] });
    const outcome = await harness.until(harness.prober.probe(httpCheck({ concurrency: 20, contains: 'ok' }), target));
    assert.equal(outcome.reason, '20 requests at once: status 200');
    assert.equal(harness.requests('/'), 20);
    const mixed = await harness.serve({ '/': [{}, { status: 500 }, {}] });
    const failed = await harness.until(harness.prober.probe(httpCheck({ concurrency: 5 }), mixed));
    assert.equal(failed.passed, false);
    assert.equal(failed.reason, '1 of 5 requests at once failed: expected status 200-299, got 500');
  });
}

function secretCases(within: Within): void {
  const secret = 'Bearer s3cr3t-t0ken';

  within('a release that echoes what it was sent does not make it public', async (harness) => {
    const headers = { authorization: secret };
    const target = await harness.serve({
      '/': [{ body: { echo: true }, headers: { 'x-echo': `you sent ${secret}` } }],
      '/away': [{ status: 302, headers: { location: `/login?with=${secret}` } }],
    });
    const checks = [
      httpCheck({ headers, contains: 'not there' }),
      httpCheck({ headers, expectJson: { a: 1 } }),
      httpCheck({ headers, expectHeaders: { 'x-echo': 'nothing' } }),
      httpCheck({ headers, url: '/away' }),
    ];
    for (const check of checks) {
      const outcome = await harness.until(harness.prober.probe(check, target));
      assert.equal(outcome.passed, false);
      assert.doesNotMatch(JSON.stringify(outcome), /s3cr3t/);
    }
  });

  within('a header can be a secret, which is read at each attempt and never told', async (harness) => {
    const target = await harness.serve({ '/': [{ body: { echo: true } }] });
    const probe = (authorization: SecretReference, contains: string): Promise<CheckOutcome> =>
      harness.until(harness.prober.probe(httpCheck({ headers: { authorization }, contains }), target));
    const { name, value } = secretVariable;
    assert.equal((await probe({ fromEnvironment: name }, `authorization: ${value}`)).passed, true);
    const told = await probe({ fromEnvironment: name }, 'not there');
    assert.equal(told.passed, false);
    assert.doesNotMatch(JSON.stringify(told), /s3cr3t/);
    const missing = await probe({ fromEnvironment: 'SLUICE_TEST_NO_SUCH' }, '');
    assert.match(
      missing.reason,
      /^the header authorization cannot be sent: the variable SLUICE_TEST_NO_SUCH is not set/,
    );
    assert.equal(harness.requests('/'), 2);
  });

  within('a reason is one line of at most 500 characters', async (harness) => {
    const body = 'line\n'.repeat(1000);
    const expectJson = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`a${index}`, body]));
    for (const check of [{ contains: 'z'.repeat(5000) }, { expectJson }]) {
      const { reason } = await asked(harness, { body: JSON.stringify({ body }) }, check);
      assert.ok(reason.length <= 500, reason);
      assert.doesNotMatch(reason, /\n/);
    }
  });
}

function attemptCases(within: Within): void {
  within('a check passes with the first attempt that does', async (harness) => {
    const target = await harness.serve({ '/': [{ status: 500 }, { status: 500 }, {}] });
    const outcome = await harness.until(harness.prober.probe(httpCheck({ attempts: 5, pauseMs: 5 }), target));
    assert.deepEqual([outcome.passed, outcome.attempts, outcome.reason], [true, 3, 'status 200']);
    assert.equal(harness.requests('/'), 3);
  });

  within('a check fails with the reason of its last attempt', async (harness) => {
    const target = await harness.serve({ '/': [{ status: 500 }, { status: 503 }, {}] });
    const outcome = await harness.until(harness.prober.probe(httpCheck({ attempts: 2 }), target));
    assert.deepEqual([outcome.passed, outcome.attempts], [false, 2]);
    assert.match(outcome.reason, /got 503$/);
  });

  within('each attempt has the whole time limit', async (harness) => {
    const target = await harness.serve({ '/': [{ afterMs: 'never' }, {}] });
    const outcome = await harness.until(harness.prober.probe(httpCheck({ withinMs: 300, attempts: 2 }), target));
    assert.deepEqual([outcome.passed, outcome.attempts], [true, 2], outcome.reason);
    assert.ok(outcome.durationMs >= 290);
  });

  within('the pauses between attempts are kept', async (harness) => {
    const target = await harness.serve({ '/': [{ status: 500 }] });
    const outcome = await harness.until(harness.prober.probe(httpCheck({ attempts: 3, pauseMs: 50 }), target));
    assert.ok(outcome.durationMs >= 95, String(outcome.durationMs));
  });
}

function abortCases(within: Within): void {
  const stop = new Error('stop');

  within('it rejects with the signal’s reason when it aborts before, within, or between attempts', async (harness) => {
    const target = await harness.serve({ '/slow': [{ afterMs: 'never' }], '/bad': [{ status: 500 }] });
    const before = harness.prober.probe(httpCheck({}), target, AbortSignal.abort(stop));
    await assert.rejects(harness.until(before), stop);
    for (const url of ['/slow', '/bad']) {
      const abort = new AbortController();
      const probe = harness.prober.probe(
        httpCheck({ url, attempts: 9, pauseMs: 5_000, withinMs: 60_000 }),
        target,
        abort.signal,
      );
      const rejected = assert.rejects(probe, stop);
      await harness.arrived(url);
      abort.abort(stop);
      await harness.until(rejected);
      assert.equal(harness.requests(url), 1);
    }
  });

  within('a program is ended when the signal aborts', async (harness) => {
    const command = await harness.program({ afterMs: 'never' });
    const check: ValidationCheck = { ...limits, kind: 'command', command, workingDirectory: harness.workingDirectory };
    const abort = new AbortController();
    const probe = harness.prober.probe(check, await harness.nobody(), abort.signal);
    const rejected = assert.rejects(probe, stop);
    abort.abort(stop);
    await harness.until(rejected);
  });
}

function otherCases(within: Within): void {
  within('a port that accepts connections passes, another does not', async (harness) => {
    const [there, gone] = [await harness.serve({}), await harness.nobody()];
    const accepted = await harness.until(harness.prober.probe(tcpCheck(there), gone));
    assert.deepEqual([accepted.passed, accepted.reason], [true, 'it accepts connections']);
    assert.equal(accepted.name, `tcp ${there.address.host}:${there.address.port}`);
    const refused = await harness.until(harness.prober.probe(tcpCheck(gone), there));
    assert.equal(refused.passed, false);
    assert.equal(refused.reason, `nothing listens on ${gone.address.host}:${gone.address.port}`);
  });

  const run = async (harness: ProberHarness, program: ContractProgram, target: ProbeTarget, withinMs = 10_000) => {
    const command = await harness.program(program);
    const { workingDirectory } = harness;
    return harness.until(
      harness.prober.probe({ ...limits, kind: 'command', command, workingDirectory, withinMs }, target),
    );
  };

  within('a program passes by exit code 0', async (harness) => {
    const outcome = await run(harness, { output: 'fine' }, await harness.nobody());
    assert.deepEqual([outcome.passed, outcome.reason], [true, 'exit code 0; its last words: fine']);
  });

  within('a program that fails is quoted by its last lines', async (harness) => {
    const outcome = await run(
      harness,
      { exitCode: 3, output: `${'noise '.repeat(500)}\nno such table\n` },
      await harness.nobody(),
    );
    assert.equal(outcome.passed, false);
    assert.match(outcome.reason, /^exit code 3; its last words: ….* \| no such table$/);
    assert.ok(outcome.reason.length <= 500);
  });

  within('a program is told where the release is', async (harness) => {
    const target = await harness.serve({});
    const { host, port } = target.address;
    const outcome = await run(harness, { tells: true, exitCode: 1 }, target);
    assert.equal(outcome.reason, `exit code 1; its last words: ${host} ${port} http://${host}:${port}`);
  });

  within('a program that does not end in time is ended', async (harness) => {
    const outcome = await run(harness, { afterMs: 'never' }, await harness.nobody(), 300);
    assert.deepEqual(
      [outcome.passed, outcome.reason],
      [false, 'expected an end within 300ms, and it was still running, so it was ended'],
    );
  });
}
