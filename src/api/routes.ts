// The table of routes: the whole wire contract, from which the server, the client and the reference page are made.

import type * as z from 'zod';

/** Made with the first question of its route: making the schemas of all routes takes longer than most commands. */
export type RouteSchema<T> = () => Promise<z.ZodType<T>>;

const requests = () => import('./schema-requests.ts');
const specRequests = () => import('./schema-spec-requests.ts');
const replies = () => import('./schema-replies.ts');

/** A question with one answer. A GET carries its request in path and query, a POST as a JSON body. */
export interface CallRoute<Request, Reply> {
  readonly kind: 'call';
  readonly method: 'GET' | 'POST';
  /** `:name` stands for the field of that name of the request. */
  readonly path: string;
  readonly summary: string;
  readonly request: RouteSchema<Request>;
  readonly reply: RouteSchema<Reply>;
  /** What one `reply` is, for the reference page. */
  readonly answer: string;
  /** The answer may take minutes: files are read, checks are carried out. */
  readonly slow: boolean;
}

/** A question with answers that go on: one JSON object per line. */
export interface StreamRoute<Request, Item> {
  readonly kind: 'stream';
  readonly method: 'GET';
  readonly path: string;
  readonly summary: string;
  readonly request: RouteSchema<Request>;
  readonly item: RouteSchema<Item>;
  readonly answer: string;
  /** Also told as `text/event-stream` to who asks for it. */
  readonly events: boolean;
}

type CallOptions<Request, Reply> = Omit<CallRoute<Request, Reply>, 'kind' | 'slow' | 'method' | 'path'> & {
  readonly slow?: boolean;
};

function get<Request, Reply>(path: string, options: CallOptions<Request, Reply>): CallRoute<Request, Reply> {
  return { kind: 'call', method: 'GET', path, slow: false, ...options };
}

function post<Request, Reply>(path: string, options: CallOptions<Request, Reply>): CallRoute<Request, Reply> {
  return { kind: 'call', method: 'POST', path, slow: false, ...options };
}

type StreamOptions<Request, Item> = Omit<StreamRoute<Request, Item>, 'kind' | 'method' | 'path'>;

function stream<Request, Item>(path: string, options: StreamOptions<Request, Item>): StreamRoute<Request, Item> {
  return { kind: 'stream', method: 'GET', path, ...options };
}

/** Questions with one answer; the names are those of `Controller`. */
export const calls = {
  plan: post('/v1/plan', {
    summary: 'Says what a deployment would do. Changes nothing.',
    request: async () => (await specRequests()).deployRequest,
    reply: async () => (await replies()).planAnswer,
    answer: 'the plan, and the digest by which a deployment can be held to it',
    slow: true,
  }),
  deploy: post('/v1/deployments', {
    summary: 'Begins a deployment. Answers when it is committed and under way.',
    request: async () => (await specRequests()).deployRequest,
    reply: async () => (await replies()).rollout,
    answer: 'the deployment',
    slow: true,
  }),
  planRollback: post('/v1/rollback/plan', {
    summary: 'Says what a rollback would do. Changes nothing.',
    request: async () => (await requests()).rollbackRequest,
    reply: async () => (await replies()).planAnswer,
    answer: 'the plan and its digest',
    slow: true,
  }),
  rollback: post('/v1/rollback', {
    summary: 'Begins a deployment that goes back to an earlier release.',
    request: async () => (await requests()).rollbackRequest,
    reply: async () => (await replies()).rollout,
    answer: 'the deployment',
    slow: true,
  }),
  command: post('/v1/command', {
    summary: 'Gives a command to the deployment under way.',
    request: async () => (await requests()).commandRequest,
    reply: async () => (await replies()).rollout,
    answer: 'the deployment as the command left it',
    slow: true,
  }),
  status: get('/v1/status', {
    summary: 'All that can be said of one scope now, or of every scope.',
    request: async () => (await requests()).statusRequest,
    reply: async () => (await replies()).scopeStatuses,
    answer: 'a list with one status per scope',
  }),
  history: get('/v1/deployments', {
    summary: 'Deployments, newest first.',
    request: async () => (await requests()).historyQuery,
    reply: async () => (await replies()).rollouts,
    answer: 'a list of deployments',
  }),
  detail: get('/v1/deployments/:deployment', {
    summary: 'One deployment with all its records.',
    request: async () => (await requests()).detailRequest,
    reply: async () => (await replies()).deploymentDetail,
    answer: 'the deployment and its records, oldest first',
  }),
  validate: post('/v1/validate', {
    summary: 'Carries out the checks of a specification against what is running.',
    request: async () => (await specRequests()).validateRequest,
    reply: async () => (await replies()).checkOutcomes,
    answer: 'a list with one outcome per check',
    slow: true,
  }),
  prune: post('/v1/prune', {
    summary: 'Removes releases and instances that nothing needs any more.',
    request: async () => (await requests()).pruneRequest,
    reply: async () => (await replies()).pruneAnswer,
    answer: 'what was removed, or would be',
    slow: true,
  }),
  remove: post('/v1/remove', {
    summary:
      'Takes a service away: traffic first, then its instances, then the router’s part. Answers when all of it is gone.',
    request: async () => (await requests()).removeRequest,
    reply: async () => (await replies()).removeAnswer,
    answer: 'the instances that were stopped, and their releases',
    slow: true,
  }),
} as const;

/** Questions whose answers go on. */
export const streams = {
  stream: stream('/v1/events', {
    summary: 'Records as they are committed, and live numbers in between.',
    request: async () => (await requests()).streamQuery,
    item: async () => (await replies()).streamItem,
    answer: 'a record or live numbers, by `kind`',
    events: true,
  }),
  logs: stream('/v1/logs', {
    summary: 'Lines that instances wrote.',
    request: async () => (await requests()).logsRequest,
    item: async () => (await replies()).logLine,
    answer: 'a line with the instance that wrote it',
    events: false,
  }),
} as const;

/** Makes the schemas of all requests, for a server: an upgrade may replace its files while it runs. */
export async function loadRequestSchemas(): Promise<void> {
  await Promise.all([...Object.values(calls), ...Object.values(streams)].map((route) => route.request()));
}

export type CallName = keyof typeof calls;
export type StreamName = keyof typeof streams;

type OutputOf<Schema extends RouteSchema<unknown>> = z.output<Awaited<ReturnType<Schema>>>;

export type RequestOf<Name extends CallName | StreamName> = OutputOf<
  Name extends CallName
    ? (typeof calls)[Name]['request']
    : Name extends StreamName
      ? (typeof streams)[Name]['request']
      : never
>;
export type ReplyOf<Name extends CallName> = OutputOf<(typeof calls)[Name]['reply']>;
export type ItemOf<Name extends StreamName> = OutputOf<(typeof streams)[Name]['item']>;
