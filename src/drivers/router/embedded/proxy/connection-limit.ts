// How many clients one proxy lets in, so that it never runs out of file descriptors.

import { readFileSync } from 'node:fs';

/** Descriptors for everything but clients and their requests: control, log, state, health checks, certificates, Node itself. */
const reserved = 256;
const clientsLeast = 16;
/** More than one thread serves. */
const clientsMost = 50_000;
/** What is taken for the limit where the system does not tell: Node raises its own to far more than this where it may. */
const descriptorsAssumed = 4_096;
/** The part of the clients that the preview address may have, of which there are few. */
const previewPart = 8;

export interface ConnectionLimits {
  readonly traffic: number;
  readonly preview: number;
}

/** Client connections per address. Each may need a second descriptor: its connection to an instance. */
export function connectionLimits(descriptors: number = descriptorLimit()): ConnectionLimits {
  const clients = Math.max(clientsLeast, Math.min(clientsMost, Math.floor((descriptors - reserved) / 2)));
  const preview = Math.floor(clients / previewPart);
  return { traffic: clients - preview, preview };
}

/** The open files that `limits` (the text of `/proc/self/limits`) allows. */
export function descriptorsIn(limits: string): number {
  const [, soft] = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits) ?? [];
  if (soft === undefined) return descriptorsAssumed;
  return soft === 'unlimited' ? Infinity : Number(soft);
}

function descriptorLimit(): number {
  try {
    return descriptorsIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Not Linux.
    return descriptorsAssumed;
  }
}
