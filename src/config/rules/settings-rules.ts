// The rules that only the configuration knows, because the specification has no place for what they forbid.

import type { Settings } from '../schema/config.ts';
import type { DockerSettings } from '../schema/docker.ts';
import type { RuleProblem } from './rule.ts';

export function settingsProblems(settings: Settings): readonly RuleProblem[] {
  const { directory, image } = settings.release;
  const problems: RuleProblem[] = [];
  if (directory === undefined && image === undefined && settings.platform.name !== 'docker') {
    const remedy = 'Write the directory with the built release, such as directory: ./dist.';
    problems.push({ path: ['release', 'directory'], message: 'the directory of the release is missing', remedy });
  }
  if (directory !== undefined && image !== undefined) {
    const message = 'a release is either a directory or an image';
    problems.push({ path: ['release', 'image'], message, remedy: 'Remove release.image or release.directory.' });
  }
  if (settings.port !== undefined && settings.platform.name === 'process') {
    const message = 'the platform process gives each instance a port of its own';
    problems.push({ path: ['port'], message, remedy: 'Remove port; the program reads the variable PORT.' });
  }
  if (settings.platform.name === 'docker') problems.push(...dockerProblems(settings, settings.platform.settings));
  return [...problems, ...queryProblems(settings)];
}

function queryProblems({ gates, metrics }: Settings): readonly RuleProblem[] {
  return gates.queries.flatMap((query, index) => {
    const path = ['gates', 'queries', index];
    const problems: RuleProblem[] = [];
    const source = typeof query.source === 'string' ? metrics[query.source] : query.source;
    if (query.query !== undefined && query.template !== undefined) {
      const message = 'it has a query and a template';
      problems.push({ path: [...path, 'template'], message, remedy: 'Remove one of them.' });
    }
    if (query.template !== undefined && source !== undefined && source.name !== 'prometheus') {
      const message = 'templates are questions to a Prometheus';
      problems.push({ path: [...path, 'template'], message, remedy: 'Write query instead.' });
    }
    if (query.equals !== undefined && (query.max !== undefined || query.min !== undefined)) {
      const message = 'it has equals and another limit';
      problems.push({ path: [...path, 'equals'], message, remedy: 'Write equals alone, or max and min.' });
    }
    const counted = query.samples !== undefined || (query.template !== undefined && countsSamples(query.template.name));
    if (query.minSamples !== undefined && !counted) {
      const message = 'nobody says on how many samples the answer stands';
      problems.push({ path: [...path, 'minSamples'], message, remedy: 'Write samples, or remove minSamples.' });
    }
    return problems;
  });
}

function countsSamples(template: string): boolean {
  return template === 'errorRate' || template === 'quantile';
}

/** What the platform docker needs said, and what has no meaning in a container. */
function dockerProblems(settings: Settings, docker: DockerSettings): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
  const at = (name: string): readonly string[] => ['platform', 'docker', name];
  if (settings.port === undefined) {
    const remedy = 'Write the port that the program listens on inside its container, such as port: 8080.';
    problems.push({ path: ['port'], message: 'a container needs its port said', remedy });
  }
  if (docker.socket !== undefined && docker.host !== undefined) {
    const message = 'an engine is reached either by its socket or by its host';
    problems.push({ path: at('host'), message, remedy: 'Remove one of them.' });
  }
  if (docker.tls !== undefined && docker.host === undefined) {
    problems.push({ path: at('tls'), message: 'a socket needs no TLS', remedy: 'Remove tls, or name the host.' });
  }
  const { host } = docker;
  const away = host !== undefined && !isLoopback(host.host);
  if (away && docker.tls === undefined) {
    const message = `whoever reaches an engine at ${host.host} without TLS owns that machine`;
    problems.push({ path: at('host'), message, remedy: 'Write platform.docker.tls with the engine’s certificates.' });
  }
  if (away && docker.publish === undefined) {
    const message = `instances at ${host.host} cannot be reached on 127.0.0.1 of this machine`;
    const remedy = 'Write the address at which the router reaches that machine, such as publish: 10.0.0.5.';
    problems.push({ path: at('publish'), message, remedy });
  }
  if (settings.release.workingDirectory !== '.') {
    const remedy = 'Remove it; the image says where its program runs.';
    problems.push({
      path: ['release', 'workingDirectory'],
      message: 'an image has no directory of the release',
      remedy,
    });
  }
  if (docker.network?.some((name) => name === 'host' || name === 'none' || name.startsWith('container:')) === true) {
    const remedy = 'Name networks of the engine; the ports of instances are published on the machine.';
    problems.push({ path: at('network'), message: 'instances need a network of their own', remedy });
  }
  return problems;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
