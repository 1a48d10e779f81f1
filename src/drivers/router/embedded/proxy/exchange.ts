// One request and its answer, from the choice of an instance to the last byte; or the tunnel that an upgrade makes of it.

import type { Socket } from 'node:net';

import type { Sample } from '../../../../core/gate/sample.ts';
import { BodyReader } from '../http/body-reader.ts';
import { writeBody } from '../http/body-writer.ts';
import { answerHeadText, type ClientFacts, interimHeadText, ownAnswerText, requestHeadText } from '../http/forward.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { preciseNow, type ProxyContext } from './context.ts';
import type { Endpoint, Flight } from './endpoint.ts';
import type { Target } from './traffic.ts';
import { UpstreamConnection, type UpstreamUser } from './upstream-connection.ts';

/** The client's side of an exchange. */
export interface ExchangeClient {
  readonly socket: Socket;
  readonly facts: ClientFacts;
  readonly preview: boolean;
  /** The instance is ready for the body, or for what follows an upgrade. */
  advance(): void;
  upgraded(): void;
  /** The exchange is over: the connection stays open, is closed in good order, or is broken off so that the client notices. */
  exchangeDone(next: 'keep' | 'close' | 'reset'): void;
}

const connectMsMax = 5_000;
/**
 * A request that may not be repeated is sent over a connection only if that was used so recently that the instance cannot have
 * been about to close it.
 */
const freshIdleMs = 1_000;
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const none: readonly Endpoint[] = [];

export class Exchange implements UpstreamUser, Flight {
  readonly #client: ExchangeClient;
  readonly #context: ProxyContext;
  readonly #head: RequestHead;
  /** When the whole head was there: how slowly a client sends it says nothing about the release. */
  readonly #startedAt: number;
  readonly #body: BodyReader | undefined;
  #target: Target | undefined;
  #endpoint: Endpoint | undefined;
  #upstream: UpstreamConnection | undefined;
  #tried: readonly Endpoint[] = none;
  /** Head texts that wait to go out with the first bytes behind them. */
  #requestText = '';
  #answerText = '';
  #over = false;
  #requestDone: boolean;
  #bodySent = false;
  #continued = false;
  /** The client will not send the body, or nobody will read it. */
  #abandoned = false;
  #answerBegun = false;
  #answerDone = false;
  #answerChunked = false;
  #repeated = false;
  #reusable = false;
  #keepAlive = false;
  #tunnel = false;
  #status = 0;
  /** When something moved last, by the context's clock. */
  #movedAt: number;

  constructor(client: ExchangeClient, context: ProxyContext, head: RequestHead) {
    this.#client = client;
    this.#context = context;
    this.#head = head;
    this.#startedAt = preciseNow();
    this.#movedAt = this.#startedAt;
    this.#requestDone = !head.chunked && head.length === 0;
    this.#body = this.#requestDone ? undefined : new BodyReader(head.chunked ? 'chunked' : 'length', head.length);
  }

  get method(): string {
    return this.#head.method;
  }

  get wantsUpgrade(): boolean {
    return this.#head.upgrade !== undefined;
  }

  /** Whether bytes of the client belong to the request's body, and can be taken now. */
  get takesBody(): boolean {
    return !this.#requestDone && this.#upstream?.connected === true;
  }

  begin(): void {
    this.#target = this.#context.traffic.choose(this.#head, this.#client.preview);
    if (this.#target === undefined) return this.#answerMyself(503, 'No instance is there to serve this request.');
    this.#attempt(true);
  }

  /** Takes bytes of the body; returns the index behind the last one. */
  requestBody(buffer: Buffer): number {
    const body = this.#body;
    const upstream = this.#upstream;
    if (body === undefined || upstream === undefined) return 0;
    const end = body.read(buffer, 0);
    this.#movedAt = this.#context.now;
    if (body.bad !== undefined) {
      this.#fail(400, body.bad);
      return buffer.length;
    }
    if (body.bytes > 0) this.#bodySent = true;
    const { socket } = this.#client;
    if (!writeBody(upstream.socket, this.#takeRequestText(), buffer, body, this.#head.chunked)) socket.pause();
    // It sent much while the instance was being connected to, and no `drain` will tell that it may go on.
    else if (socket.isPaused()) socket.resume();
    if (body.done) {
      this.#requestDone = true;
      this.#finishWhenDone();
    }
    return end;
  }

  clientDrained(): void {
    this.#movedAt = this.#context.now;
    this.#upstream?.socket.resume();
  }

  /** The client closed its connection, or its side of it before the answer was complete. */
  clientGone(): void {
    if (!this.#answerDone && !this.#tunnel) this.#record(499, 'router');
    this.#leave(false);
  }

  fromTunnel(chunk: Buffer): void {
    if (this.#upstream?.socket.write(chunk) === false) this.#client.socket.pause();
  }

  tunnelEnded(): void {
    this.#upstream?.socket.end();
  }

  cut(): void {
    if (!this.#answerBegun && !this.#tunnel) return this.#fail(503, 'The instance is being stopped.');
    if (!this.#answerDone && !this.#tunnel) this.#record(this.#waitsForClient() ? 499 : 503, 'router');
    this.#leave(false);
    this.#client.exchangeDone('reset');
  }

  /** Whether it is the client that keeps the answer waiting: it does not read what is there, or does not send its body. */
  #waitsForClient(): boolean {
    return this.#client.socket.writableNeedDrain || this.#waitsForBody();
  }

  /** Whether the next piece of the body is the client's to send. */
  #waitsForBody(): boolean {
    if (this.#requestDone) return false;
    // The instance keeps us waiting where it has yet to ask for the body, or stopped reading it, for which the client was paused.
    const askedFor = !this.#head.expectsContinue || this.#continued || this.#bodySent;
    return askedFor && !this.#client.socket.isPaused();
  }

  /** Ends what has waited too long. */
  sweep(now: number): void {
    const { idleMs, answerMs } = this.#context.limits;
    const waited = now - this.#movedAt;
    if (this.#tunnel) return;
    if (this.#upstream?.connected === false) {
      if (waited > connectMsMax) this.#upstream.socket.destroy();
    } else if (!this.#requestDone && waited > idleMs) {
      if (this.#answerBegun) this.cut();
      else if (this.#waitsForClient()) this.#fail(408, 'The request did not come to its end in time.');
      else this.#fail(504, 'The instance does not take the request.');
    } else if (!this.#answerBegun && waited > answerMs && !this.#waitsForBody()) {
      this.#fail(504, 'The instance did not answer in time.');
    } else if (this.#answerBegun && waited > idleMs) this.cut();
  }

  upstreamConnected(): void {
    const { endpoint, socket } = this.#upstream ?? {};
    if (endpoint === undefined || socket === undefined) return;
    endpoint.connected();
    this.#movedAt = this.#context.now;
    this.#requestText = requestHeadText(this.#head, this.#client.facts, this.#context.trustForwarded);
    if (!this.#requestDone) this.#client.advance();
    const text = this.#takeRequestText();
    if (text !== '' && !this.#over) socket.write(text, 'latin1');
  }

  upstreamInterim(head: ResponseHead): void {
    if (head.status === 100) this.#continued = true;
    if (this.#head.minor > 0) this.#client.socket.write(interimHeadText(head), 'latin1');
  }

  upstreamAnswer(head: ResponseHead, framing: BodyReader['framing']): void {
    const { expectsContinue, minor, keepAlive } = this.#head;
    if (expectsContinue && !this.#continued && !this.#bodySent && !this.#requestDone) this.#abandoned = true;
    this.#status = head.status;
    this.#answerChunked = framing !== 'length' && minor > 0;
    const framed = framing === 'length' || this.#answerChunked;
    this.#keepAlive = keepAlive && framed && !this.#abandoned && !this.#context.closing;
    this.#answerText = answerHeadText(head, {
      chunked: this.#answerChunked,
      keepAlive: this.#keepAlive,
      keepAliveSeconds: Math.floor(this.#context.limits.idleMs / 1000),
      added: this.#target?.addedLines ?? '',
    });
  }

  upstreamBody(buffer: Buffer, reader: BodyReader): void {
    this.#answerBegun = true;
    this.#movedAt = this.#context.now;
    const text = this.#answerText;
    this.#answerText = '';
    if (!writeBody(this.#client.socket, text, buffer, reader, this.#answerChunked)) this.#upstream?.socket.pause();
  }

  upstreamAnswered(reusable: boolean): void {
    this.#answerDone = true;
    this.#reusable = reusable;
    this.#record(this.#status, 'instance');
    this.#finishWhenDone();
  }

  upstreamUpgraded(head: ResponseHead): void {
    this.#tunnel = true;
    this.#record(101, 'instance');
    this.#client.socket.write(interimHeadText(head), 'latin1');
    this.#client.upgraded();
  }

  upstreamRaw(chunk: Buffer): void {
    if (!this.#client.socket.write(chunk)) this.#upstream?.socket.pause();
  }

  upstreamRawEnded(): void {
    this.#client.socket.end();
  }

  upstreamDrained(): void {
    this.#movedAt = this.#context.now;
    this.#client.socket.resume();
  }

  upstreamLost(problem: string): void {
    const upstream = this.#upstream;
    const endpoint = this.#endpoint;
    if (upstream === undefined || endpoint === undefined) return;
    this.#upstream = undefined;
    if (this.#tunnel || this.#answerDone) {
      this.#leave(false);
      return this.#client.exchangeDone('close');
    }
    if (!upstream.connected) {
      // Nothing was sent, so another instance may have it.
      endpoint.connectFailed(preciseNow());
      this.#tried = [...this.#tried, endpoint];
      return this.#attempt(true, problem);
    }
    const untouched = !upstream.answering && !this.#bodySent && !this.#answerBegun;
    if (upstream.reused && untouched && !this.#repeated && this.#mayRepeat()) {
      // The instance closed an idle connection in the moment when the request set out.
      this.#repeated = true;
      return this.#attempt(false);
    }
    if (!this.#answerBegun) return this.#fail(502, `The instance ${problem}.`);
    this.#record(502, 'router');
    this.#leave(false);
    this.#client.exchangeDone('reset');
  }

  #mayRepeat(): boolean {
    return repeatable.has(this.#head.method) && this.#body === undefined;
  }

  #takeRequestText(): string {
    const text = this.#requestText;
    this.#requestText = '';
    return text;
  }

  /** Sends the request to the next instance. `pooled`: over an idle connection where there is one. */
  #attempt(pooled: boolean, problem = ''): void {
    const now = preciseNow();
    this.#flightOver();
    const endpoint = this.#target?.group.next(now, this.#tried);
    if (endpoint === undefined) return this.#fail(502, `The instance ${problem}.`);
    this.#endpoint = endpoint;
    this.#movedAt = now;
    endpoint.flights.add(this);
    const idleMsMax = this.#mayRepeat() ? Infinity : freshIdleMs;
    const upstream = (pooled ? endpoint.take(now, idleMsMax) : undefined) ?? new UpstreamConnection(endpoint);
    this.#upstream = upstream;
    upstream.use(this);
  }

  #finishWhenDone(): void {
    if (!this.#answerDone || !(this.#requestDone || this.#abandoned)) return;
    const keep = this.#requestDone && this.#keepAlive;
    this.#leave(this.#requestDone && this.#reusable);
    this.#client.exchangeDone(keep ? 'keep' : 'close');
  }

  /** Ends the exchange with an answer of the proxy's own. */
  #fail(status: number, message: string): void {
    if (this.#answerBegun) return this.cut();
    this.#record(status, 'router');
    this.#leave(false);
    this.#answerMyself(status, message);
  }

  #answerMyself(status: number, message: string): void {
    this.#over = true;
    const keepAlive = this.#requestDone && this.#head.keepAlive && !this.#context.closing;
    const withBody = this.#head.method !== 'HEAD';
    const text = ownAnswerText(status, message, { date: this.#context.date, keepAlive, withBody });
    this.#client.socket.write(text, 'latin1');
    this.#client.exchangeDone(keepAlive ? 'keep' : 'close');
  }

  /** Gives the instance's connection back, or closes it. */
  #leave(reuse: boolean): void {
    this.#over = true;
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (upstream !== undefined) {
      if (reuse) {
        upstream.leave();
        upstream.socket.resume();
        upstream.endpoint.put(upstream, preciseNow());
      } else upstream.close();
    }
    this.#flightOver();
  }

  #flightOver(): void {
    if (this.#endpoint?.flights.delete(this) === true) this.#context.flightEnded();
  }

  #record(status: number, origin: Sample['origin']): void {
    const { feed } = this.#context;
    if (!feed.wanted || this.#target === undefined || this.#endpoint === undefined) return;
    feed.record({
      at: Date.now(),
      release: this.#target.group.release,
      instance: this.#endpoint.instance,
      status,
      latencyMs: Math.round((preciseNow() - this.#startedAt) * 1000) / 1000,
      via: this.#target.via,
      origin,
    });
  }
}
