import { noEngine } from '../../../../test/docker/engine.ts';
import { platformContract } from '../../../ports/platform.contract.ts';
import { contractFixture, openFixture } from './fixture.ts';

platformContract({
  name: 'docker',
  leftOut: await noEngine(),
  open: async () => contractFixture(await openFixture()),
});
