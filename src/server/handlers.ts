// What the controller is asked for each route.

import type { CallName, ItemOf, ReplyOf, RequestOf, StreamName } from '../api/routes.ts';
import type { Controller } from '../engine/controller.ts';

type CallHandlers = {
  readonly [Name in CallName]: (
    controller: Controller,
    request: RequestOf<Name>,
    gone: AbortSignal,
  ) => Promise<ReplyOf<Name>>;
};

type StreamHandlers = {
  readonly [Name in StreamName]: (
    controller: Controller,
    request: RequestOf<Name>,
    gone: AbortSignal,
  ) => AsyncIterable<ItemOf<Name>>;
};

export const callHandlers: CallHandlers = {
  plan: (controller, request) => controller.plan(request),
  deploy: (controller, request) => controller.deploy(request),
  planRollback: (controller, request) => controller.planRollback(request),
  rollback: (controller, request) => controller.rollback(request),
  command: (controller, { scope, command, actor }) => controller.command(scope, command, { actor }),
  status: async (controller, { scope }) => [...(await controller.status(scope))],
  history: async (controller, query) => [...(await controller.history(query))],
  detail: (controller, { deployment }) => controller.detail(deployment),
  validate: async (controller, request, gone) => [...(await controller.validate(request, gone))],
  prune: (controller, request) => controller.prune(request),
  remove: (controller, request) => controller.remove(request),
};

export const streamHandlers: StreamHandlers = {
  stream: (controller, query, gone) => controller.stream(query, gone),
  logs: (controller, request, gone) => controller.logs(request, gone),
};
