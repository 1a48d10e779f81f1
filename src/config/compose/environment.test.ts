import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composeService } from './compose-service.ts';
import { fileWith, input, problemsOf } from './fixture.ts';

test('no value of a variable stands in the plan', () => {
  const { environment, port } = composeService(
    input(
      fileWith(
        [
          'environment:',
          '  PLAIN: text',
          '  NUMBER: 5',
          '  TRUTH: true',
          '  FROM_DOTENV: ${PASSWORD}',
          '  FROM_SHELL: $TOKEN',
          '  URL: postgres://shop:${PASSWORD}@db/${NAME:-shop}',
          '  BUILT: ${COMBINED}',
          '  PASSWORD:',
          '  UNSET:',
          '  PORT: "3000"',
          'env_file: [one.env, { path: none.env, required: false }]',
        ].join('\n'),
      ),
      {
        environment: { TOKEN: 'shell-secret' },
        dotenv: { path: '/srv/My Shop/.env', text: 'PASSWORD=dotenv-secret\nCOMBINED=a$PASSWORD\n' },
        read: (path) =>
          path === '/srv/My Shop/one.env' ? 'PLAIN=below\nKEY=file-secret\nWITH=$TOKEN\nTOKEN\n' : undefined,
      },
    ),
  );
  assert.equal(port, 3000);
  const dotenv = '/srv/My Shop/.env';
  assert.deepEqual(environment, {
    KEY: { fromVariables: '/srv/My Shop/one.env', name: 'KEY' },
    WITH: { fromEnvironment: 'TOKEN' },
    TOKEN: { fromEnvironment: 'TOKEN' },
    PLAIN: 'text',
    NUMBER: '5',
    TRUTH: 'true',
    FROM_DOTENV: { fromVariables: dotenv, name: 'PASSWORD' },
    FROM_SHELL: { fromEnvironment: 'TOKEN' },
    URL: { joined: ['postgres://shop:', { fromVariables: dotenv, name: 'PASSWORD' }, '@db/shop'] },
    BUILT: { joined: ['a', { fromVariables: dotenv, name: 'PASSWORD' }] },
    PASSWORD: { fromVariables: dotenv, name: 'PASSWORD' },
  });
});

test('a line of .env that cannot be read is named, and no variable after it is empty without a word', () => {
  const dotenv = (text: string) => ({ dotenv: { path: '/srv/My Shop/.env', text } });
  const text = fileWith('environment: { PASSWORD: $PW }');
  assert.deepEqual(problemsOf(text, dotenv('A=1\nFOO BAR=2\nPW=secret\n')), [
    'line 2 of /srv/My Shop/.env is not NAME=value',
  ]);
  // Names that no text can ask for are no mistake for Compose.
  const { environment } = composeService(input(text, dotenv('A[0]=1\n1B=2\nC.d-e=3\nPW=secret\n')));
  assert.deepEqual(environment, { PASSWORD: { fromVariables: '/srv/My Shop/.env', name: 'PW' } });
});

test('a name in an env_file that no program can be given is refused, and a line that is none is named', () => {
  const problems = (text: string) => problemsOf(fileWith('env_file: a.env'), { read: () => text });
  assert.match(problems('1A=x').join(), /environment\.1A: cannot be honoured/);
  assert.match(problems('A[0]=x').join(), /environment\["A\[0\]"\]: cannot be honoured/);
  assert.deepEqual(problems('A=1\nFOO BAR=2'), ['line 2 of /srv/My Shop/a.env is not NAME=value']);
});

test('no value is quoted where its variables cannot be read: its place is named', () => {
  const word = 'is not well-formed; write $$ for a dollar sign';
  for (const secret of ['abc$1def', 'abc${def', 'abc${}', 'abc${1}def', 'abc${d!ef}']) {
    const lines = `A=1\nPASSWORD=${secret}\n`;
    const path = '/srv/My Shop/.env';
    assert.deepEqual(problemsOf(fileWith(''), { dotenv: { path, text: lines } }), [
      `line 2 of ${path}: PASSWORD has a variable that ${word}`,
    ]);
    assert.deepEqual(problemsOf(fileWith('env_file: a.env'), { read: () => lines }), [
      `line 2 of /srv/My Shop/a.env: PASSWORD has a variable that ${word}`,
    ]);
    assert.deepEqual(problemsOf(fileWith(`environment: ["PASSWORD=${secret}"]`)), [
      `environment.PASSWORD: has a variable that ${word}`,
    ]);
  }
  assert.deepEqual(problemsOf(fileWith('env_file: a.env'), { read: () => 'PASSWORD=abc${D:?def}' }), [
    'line 1 of /srv/My Shop/a.env: PASSWORD needs the variable D, which is not set',
  ]);
});

test('a line of an env_file sees the project, then environment, then the lines before it', () => {
  const files: Readonly<Record<string, string>> = {
    'a.env': 'HOST=db\nURL=postgres://$HOST/shop\nSHELL_WINS=below\nOWN_WINS=below\nHAS=${HOST:+yes}\n',
    'b.env': 'AGAIN=$URL?ssl\nFROM=$SHELL_WINS,$OWN_WINS\nLATER=$BEHIND\nBEHIND=x\nHOST=other\nTWICE=$HOST\n',
  };
  const { environment } = composeService(
    input(fileWith('env_file: [a.env, b.env]\nenvironment: { OWN_WINS: own }'), {
      environment: { SHELL_WINS: 'shell' },
      read: (path) => files[path.replace('/srv/My Shop/', '')],
    }),
  );
  const [a, b] = ['/srv/My Shop/a.env', '/srv/My Shop/b.env'];
  const host = { fromVariables: a, name: 'HOST' };
  assert.deepEqual(environment, {
    HOST: { fromVariables: b, name: 'HOST' },
    URL: { joined: ['postgres://', host, '/shop'] },
    SHELL_WINS: { fromVariables: a, name: 'SHELL_WINS' },
    OWN_WINS: 'own',
    HAS: 'yes',
    AGAIN: { joined: ['postgres://', host, '/shop?ssl'] },
    FROM: { joined: [{ fromEnvironment: 'SHELL_WINS' }, ',own'] },
    LATER: '',
    BEHIND: { fromVariables: b, name: 'BEHIND' },
    TWICE: { fromVariables: b, name: 'HOST' },
  });
});

test('a line sees the one before it, not a later one of the same name, which its reference would lead to', () => {
  const text = 'A=first\nB=$A\nA=last\nC=$A\nC=$C/more\n';
  const wanted = {
    A: { fromVariables: '/srv/My Shop/a.env', name: 'A' },
    B: 'first',
    C: { joined: [{ fromVariables: '/srv/My Shop/a.env', name: 'A' }, '/more'] },
  };
  const { environment } = composeService(input(fileWith('env_file: a.env'), { read: () => text }));
  assert.deepEqual(environment, wanted);
  const dotenv = { path: '/srv/My Shop/a.env', text };
  const own = composeService(input(fileWith('environment: [A, B, C]'), { dotenv }));
  assert.deepEqual(own.environment, wanted);
});
