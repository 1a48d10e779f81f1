// The same driver with Podman, which answers at a socket of its own as an engine of Docker does.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { noEngine } from '../../../../test/docker/engine.ts';
import { nodeImage } from '../../../../test/docker/image.ts';
import { noPodman, OwnPodman } from '../../../../test/docker/own-podman.ts';
import { platformContract } from '../../../ports/platform.contract.ts';
import { contractFixture, openFixture, realClock } from './fixture.ts';
import { createImageReleases } from './image-releases.ts';

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

describe('images with Podman', { skip: leftOut }, () => {
  for (const reference of ['shop:1.0', '127.0.0.1:9/acme/shop:1.0']) {
    test(`${reference}, which is not on the machine, is not said to be missing: Podman asks no registry`, async (context) => {
      const { socket } = await (started ??= start());
      const directory = await mkdtemp(join(tmpdir(), 'sluice-images-'));
      context.after(() => rm(directory, { recursive: true, force: true }));
      const releases = createImageReleases({ directory, clock: realClock });
      const remedy = new RegExp(`podman pull ${reference}`);
      await assert.rejects(releases.identify({ kind: 'image', reference, engine: { kind: 'socket', path: socket } }), {
        code: 'plan.unsupported',
        at: 'release.image',
        remedy,
      });
    });
  }
});

after(async () => (await started)?.close());
