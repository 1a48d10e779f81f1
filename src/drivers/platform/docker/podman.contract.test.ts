// The same driver with Podman, which answers at a socket of its own as an engine of Docker does.

import { after } from 'node:test';

import { noEngine } from '../../../../test/docker/engine.ts';
import { nodeImage } from '../../../../test/docker/image.ts';
import { noPodman, OwnPodman } from '../../../../test/docker/own-podman.ts';
import { platformContract } from '../../../ports/platform.contract.ts';
import { contractFixture, openFixture } from './fixture.ts';

// Its image comes from the engine of the other tests.
const leftOut = noPodman() || (await noEngine());
let started: Promise<OwnPodman> | undefined;

async function start(): Promise<OwnPodman> {
  const podman = await OwnPodman.start();
  await podman.load([await nodeImage()]);
  return podman;
}

platformContract({
  name: 'docker, with Podman',
  leftOut,
  skips: { 'a line that is too long is cut': 'Podman counts the parts of a long line as lines of their own' },
  open: async () => contractFixture(await openFixture(await (started ??= start()))),
});

after(async () => (await started)?.close());
