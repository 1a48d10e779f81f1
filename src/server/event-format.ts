// The event stream as browsers read it: `text/event-stream`, with the sequence number of a record as its id.

import { mediaTypes } from '../api/protocol.ts';
import type { StreamItem } from '../engine/controller.ts';
import type { StreamFormat } from './stream-answer.ts';

export const eventFormat: StreamFormat = {
  mediaType: mediaTypes.events,
  item: (item) => eventOf(item as StreamItem),
  heartbeat: ':\n\n',
  failure: (data) => `event: failure\ndata: ${JSON.stringify(data)}\n\n`,
};

function eventOf(item: StreamItem): string {
  const id = item.kind === 'record' ? `id: ${item.record.sequence}\n` : '';
  return `${id}event: ${item.kind}\ndata: ${JSON.stringify(item)}\n\n`;
}

/** Whether a client prefers events to lines; who accepts anything gets lines. */
export function wantsEvents(request: Request): boolean {
  return (request.headers.get('accept') ?? '').toLowerCase().includes(mediaTypes.events);
}

/** The last record that a browser saw before its connection broke. */
export function lastSeen(request: Request): string | undefined {
  return request.headers.get('last-event-id') ?? undefined;
}
