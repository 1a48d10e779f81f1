// What the platform docker needs said, and what has no meaning there.

import type { ComposedService } from '../compose/composed.ts';
import type { Settings } from '../schema/config.ts';
import type { DockerSettings } from '../schema/docker.ts';
import type { RuleProblem } from './rule.ts';

const at = (name: string): readonly string[] => ['platform', 'docker', name];

/** What the platform docker needs said, and what has no meaning in a container. */
export function dockerProblems(settings: Settings, docker: DockerSettings): readonly RuleProblem[] {
  const problems: RuleProblem[] = [...engineProblems(docker)];
  if (settings.port === undefined && docker.compose === undefined) problems.push(missingPort);
  if (docker.compose === undefined && (docker.service !== undefined || docker.shareNames !== undefined)) {
    const remedy = 'Write platform.docker.compose with its path, or remove this.';
    problems.push({ path: at('service'), message: 'no Compose file is named', remedy });
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

function engineProblems(docker: DockerSettings): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
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
  if (away && (docker.publish === undefined || docker.publish === 'off')) {
    const where = docker.publish === 'off' ? 'at their own addresses from' : 'on 127.0.0.1 of';
    const message = `instances at ${host.host} cannot be reached ${where} this machine`;
    const remedy = 'Write the address at which the router reaches that machine, such as publish: 10.0.0.5.';
    problems.push({ path: at('publish'), message, remedy });
  }
  if (docker.publish === 'off' && docker.ports !== undefined) {
    const message = 'no ports are published, so there are none to choose';
    problems.push({ path: at('ports'), message, remedy: 'Remove ports, or publish: off.' });
  }
  return problems;
}

const missingPort: RuleProblem = {
  path: ['port'],
  message: 'a container needs its port said',
  remedy: 'Write the port that the program listens on inside its container, such as port: 8080.',
};

/** What shows only when the Compose file was read. */
export function composedProblems(settings: Settings, composed: ComposedService | undefined): readonly RuleProblem[] {
  if (composed === undefined || settings.platform.name !== 'docker') return [];
  const { shareNames, network } = settings.platform.settings;
  const problems: RuleProblem[] = [];
  if (settings.port === undefined && composed.port === undefined) problems.push(missingPort);
  const asked = composed.neededBy.length > 0 || composed.names.length > 1;
  if (asked && shareNames === undefined && network === undefined) {
    const others =
      composed.neededBy.length > 0
        ? `${composed.neededBy.join(', ')} of the Compose file depend on it`
        : 'it has aliases there';
    problems.push({
      path: ['platform', 'docker', 'shareNames'],
      message: `whether others reach instances by the name ${composed.names.join(', ')} must be said: ${others}`,
      remedy:
        'Write shareNames: true to let them, past the router and to releases on trial too; or false, and have them ask the router.',
    });
  }
  return problems;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
