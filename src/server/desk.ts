// The desk of a controller: what is asked has to be as its route's schema says, and is handed to the controller then.

import type * as z from 'zod';
import type { Desk } from '../api/desk.ts';
import { calls, streams } from '../api/routes.ts';
import type { Controller } from '../engine/controller.ts';
import { RequestFailure } from './answer.ts';
import { callHandlers, streamHandlers } from './handlers.ts';

/** A handler whose request type is not known here: its route's schema has checked the request. */
type CheckedHandler<Answer> = (controller: Controller, request: never, gone: AbortSignal) => Answer;

export function createDesk(controller: Controller): Desk {
  return {
    call: async (name, request, gone) => {
      const handle: CheckedHandler<Promise<unknown>> = callHandlers[name];
      return handle(controller, checked(await calls[name].request(), request), gone);
    },
    stream: async (name, request) => {
      const handle: CheckedHandler<AsyncIterable<unknown>> = streamHandlers[name];
      const asked = checked(await streams[name].request(), request);
      return (gone) => handle(controller, asked, gone);
    },
  };
}

function checked(schema: z.ZodType, request: unknown): never {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data as never;
  const [issue] = parsed.error.issues;
  const at = issue?.path.map(String).join('.') ?? '';
  const more = parsed.error.issues.length > 1 ? ` (and ${parsed.error.issues.length - 1} more)` : '';
  const place = at === '' ? 'the request' : at;
  throw new RequestFailure(400, `The request is wrong at ${place}: ${issue?.message ?? 'unknown'}${more}.`, place);
}
