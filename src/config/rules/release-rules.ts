// The rules of `release` and `env`: what a platform can start, and which images are fixed enough to be deployed.

import type { DeploySpec } from '../../core/plan/spec.ts';
import type { RuleProblem } from './rule.ts';

/** Tags that are moved to another image by custom. */
const movingTags = new Set([
  'latest',
  'stable',
  'edge',
  'nightly',
  'head',
  'main',
  'master',
  'develop',
  'dev',
  'trunk',
  'release',
  'current',
  'next',
  'canary',
  'staging',
  'production',
  'prod',
]);

/** The tag of an image, where it has one and no digest. */
function tagOf(reference: string): string | undefined {
  if (reference.includes('@')) return undefined;
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  const colon = name.indexOf(':');
  return colon < 0 ? undefined : name.slice(colon + 1);
}

export function releaseProblems(spec: DeploySpec): readonly RuleProblem[] {
  const own = spec.source.kind === 'image' ? imageProblems(spec, spec.source.reference) : runProblems(spec);
  return [...own, ...variableProblems(spec)];
}

function imageProblems(spec: DeploySpec, reference: string): readonly RuleProblem[] {
  const path = ['release', 'image'];
  const tag = tagOf(reference);
  if (tag !== undefined && movingTags.has(tag.toLowerCase())) {
    const message = `the tag ${JSON.stringify(tag)} of ${JSON.stringify(reference)} can be moved to another image at any time`;
    return [
      {
        path,
        code: 'release.mutable',
        message,
        remedy: 'Name a digest (name@sha256:…) or a tag that never moves (a version).',
      },
    ];
  }
  if (spec.platform.driver === 'docker') return referenceProblems(reference, path);
  const message = `the platform ${spec.platform.driver} runs directories, not images such as ${JSON.stringify(reference)}`;
  return [{ path, message, remedy: 'Write release.directory and release.command instead.' }];
}

/** Without tag an engine takes `latest`. */
function referenceProblems(reference: string, path: RuleProblem['path']): readonly RuleProblem[] {
  if (reference.includes('@') || tagOf(reference) !== undefined) return [];
  const message = `${JSON.stringify(reference)} has no tag, which means latest`;
  const remedy = 'Name a digest (name@sha256:…) or a tag that never moves (a version).';
  return [{ path, code: 'release.mutable', message, remedy }];
}

function runProblems({ run, platform }: DeploySpec): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
  if (platform.driver === 'docker') {
    const remedy = 'Write an image by digest or by a tag that never moves, such as image: ghcr.io/acme/shop:1.4.2.';
    const message = 'the platform docker runs images, and none is named';
    problems.push({ path: ['release', 'image'], message, remedy });
  } else if (run.command.length === 0) {
    const remedy = 'Write the program that starts an instance, such as command: node server.js.';
    problems.push({ path: ['release', 'command'], message: 'the start command is missing', remedy });
  }
  return problems;
}

function variableProblems({ run }: DeploySpec): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
  for (const name of Object.keys(run.environment).filter((name) => name === 'PORT' || name.startsWith('SLUICE_'))) {
    const message = 'every instance is given this variable by Sluice';
    problems.push({ path: ['env', name], message, remedy: 'Remove it; the program reads what Sluice sets.' });
  }
  return problems;
}
