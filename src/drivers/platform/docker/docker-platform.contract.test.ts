import { noEngine } from '../../../../test/docker/engine.ts';
import { platformContract } from '../../../ports/platform.contract.ts';
import { ask, crash, openFixture, server } from './fixture.ts';

platformContract({
  name: 'docker',
  leftOut: await noEngine(),
  async open() {
    const fixture = await openFixture();
    return {
      platform: fixture.platform,
      reopen: async () => fixture.open(),
      release: async (behaviour) => {
        switch (behaviour) {
          case 'serves':
            return fixture.release();
          case 'ignores the request to end':
            return fixture.release({ command: [...server, 'stubborn'] });
          case 'crashes at start':
            return fixture.release({ command: crash });
          case 'cannot be run':
            return fixture.release({ command: ['there-is-no-such-program'] }, { init: false });
        }
      },
      answers: async (instance) => (await ask(instance)) === 'ok',
      crash: async (instance) => void (await ask(instance, '/crash')),
      write: async (instance, lines) => void (await ask(instance, '/say', lines.map((line) => `${line}\n`).join(''))),
      close: () => fixture.close(),
    };
  },
});
