import { platformContract } from '../../../ports/platform.contract.ts';
import { ask, crashProgram, openFixture } from './fixture.ts';

platformContract({
  name: 'process',
  async open() {
    const fixture = await openFixture();
    const stubborn = { command: [process.execPath, 'main.cjs', 'stubborn'] };
    return {
      platform: fixture.platform,
      reopen: async () => fixture.open(),
      release: async (behaviour) => {
        switch (behaviour) {
          case 'serves':
            return fixture.server();
          case 'ignores the request to end':
            return fixture.server(stubborn);
          case 'crashes at start':
            return fixture.release({ 'main.cjs': crashProgram });
          case 'cannot be run':
            return fixture.server({ command: ['there-is-no-such-program'] });
        }
      },
      answers: async (instance) => (await ask(instance)) === 'ok',
      crash: async (instance) => void (await ask(instance, '/crash')),
      write: async (instance, lines) => void (await ask(instance, '/say', lines.map((line) => `${line}\n`).join(''))),
      close: () => fixture.close(),
    };
  },
});
