// The HTTP application: hands what comes over sockets to the desk, and its answers back.

import { type Context, Hono } from 'hono';
import type { Desk } from '../api/desk.ts';
import { apiVersion } from '../api/protocol.ts';
import type { Health } from '../api/protocol.ts';
import { type CallName, type StreamName, calls, streams } from '../api/routes.ts';
import { fieldsOf } from '../api/target.ts';
import { failureData } from '../base/failure.ts';
import type { Log } from '../base/log.ts';
import { RequestFailure, commonHeaders, failureAnswer, jsonAnswer } from './answer.ts';
import { eventFormat, lastSeen, wantsEvents } from './event-format.ts';
import { type Caller, Token, assertOwnSite, assertToken, assertVersion } from './guard.ts';
import { readJson } from './request-body.ts';
import { lineFormat, streamAnswer } from './stream-answer.ts';

/** What `GET /metrics` answers. */
export interface Metrics {
  readonly mediaType: string;
  text(): Promise<string>;
}

export interface AppOptions {
  readonly desk: Desk;
  readonly metrics: Metrics;
  readonly log: Log;
  /** With it every route but /health needs it, except over a unix socket. */
  readonly token?: string | undefined;
}

export interface App {
  /** Answers a request; never rejects. Without a caller the token is needed, where there is one. */
  readonly fetch: (request: Request, caller?: Caller) => Promise<Response>;
  readonly hasToken: boolean;
  readonly log: Log;
}

interface AppEnv {
  Bindings: Caller;
}

/** Throws `server.token` for an empty token. */
export function createApp(options: AppOptions): App {
  const token = options.token === undefined ? undefined : new Token(options.token);
  const app = new Hono<AppEnv>();
  app.use(async (context, next) => {
    const request = context.req.raw;
    const caller = isCaller(context.env) ? context.env : undefined;
    assertOwnSite(request, caller);
    if (context.req.path !== '/health') assertToken(request, token, caller);
    assertVersion(request);
    await next();
  });
  app.get('/health', () => jsonAnswer({ status: 'ok', api: apiVersion } satisfies Health));
  app.get('/metrics', () => metricsAnswer(options.metrics));
  for (const name of Object.keys(calls) as CallName[]) addCall(app, options, name);
  for (const name of Object.keys(streams) as StreamName[]) addStream(app, options, name);
  app.notFound((context) => failureAnswer(unknownRoute(context.req.method, context.req.path)));
  app.onError((error) => {
    const data = failureData(error);
    if (data.code === 'internal')
      options.log.write('error', 'request failed', { message: data.message, stack: error.stack });
    return failureAnswer(error);
  });
  return {
    fetch: async (request, caller) => app.fetch(request, caller),
    hasToken: token !== undefined,
    log: options.log,
  };
}

/** Adapters pass things of their own as the environment; only a listener of ours says how a request came. */
function isCaller(env: Partial<Caller> | undefined): env is Caller {
  return env?.transport !== undefined && env.loopback !== undefined;
}

function addCall(app: Hono<AppEnv>, { desk }: AppOptions, name: CallName): void {
  const route = calls[name];
  app.on(route.method, route.path, async (context) => {
    const request = route.method === 'POST' ? await readJson(context.req.raw) : queryFields(context);
    return jsonAnswer(await desk.call(name, request, context.req.raw.signal));
  });
}

function addStream(app: Hono<AppEnv>, { desk, log }: AppOptions, name: StreamName): void {
  const route = streams[name];
  app.get(route.path, async (context) => {
    const { raw } = context.req;
    const asEvents = route.events && wantsEvents(raw);
    const fields = queryFields(context);
    // A browser that connects again says itself what it saw last.
    const seen = asEvents ? lastSeen(raw) : undefined;
    const items = await desk.stream(name, seen === undefined ? fields : { ...fields, after: Number(seen) });
    return streamAnswer({ items, gone: raw.signal, format: asEvents ? eventFormat : lineFormat, log });
  });
}

function queryFields(context: Context<AppEnv>): Record<string, unknown> {
  return fieldsOf(context.req.param(), new URL(context.req.url).searchParams);
}

async function metricsAnswer(metrics: Metrics): Promise<Response> {
  const headers = { ...commonHeaders, 'content-type': metrics.mediaType };
  return new Response(await metrics.text(), { headers });
}

function unknownRoute(method: string, path: string): RequestFailure {
  const known = [...Object.values(calls), ...Object.values(streams)].filter((route) => route.path === path);
  if (known.length === 0) return new RequestFailure(404, `There is no ${path.slice(0, 200)} here.`, 'path');
  const methods = known.map((route) => route.method).join(' or ');
  return new RequestFailure(405, `${path} takes ${methods}, not ${method}.`, 'method');
}
