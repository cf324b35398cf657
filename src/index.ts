/**
 * Headgate inside another program: the whole ingest server, or its limits on a
 * node-media-server application. The limiters alone are `headgate/limiter`,
 * rate limits for HTTP `headgate/fastify` and `headgate/express`.
 *
 * @module headgate
 */

export { type Attachment, type AttachOptions, attach } from './app/attach.ts';
export type {
  EmbeddedOptions,
  HeadgateControl,
  HeadgateEvents,
  KickOptions,
  LimitChange,
  ReceiptQuery,
} from './app/control.ts';
export { createServer, type HeadgateServer, type ServerOptions } from './app/embedded.ts';
export type { Listening } from './app.ts';
export { ConfigError } from './config/load-object.ts';
export type { ConfigOptions } from './config/options.ts';
export type { ConfigProblem } from './config/problem.ts';
export { REASONS, type Reason, type Scope } from './core/reasons.ts';
export type { Protocol, StreamSnapshot, StreamState, StreamTotals } from './core/stream.ts';
export type { Receipt } from './core/verdict.ts';
export type { Readiness } from './http/ports.ts';
export type { NodeMediaServerLike } from './ingest/rtmp/nms-doors.ts';
export { type ErrorCode, HeadgateError } from './lib/errors.ts';
export { VERSION } from './version.ts';
