import type { Protocol } from '../../core/stream.ts';

/**
 * Another RTMP server in this process, behind the gate: publishers that were
 * let in are handed on to it, and players are its own. The gate holds the
 * conversation with the encoder; what the server behind it hears is well formed.
 */
export interface RtmpRelay {
  /** bytes that a player may leave unread before it is dropped */
  maxQueueBytes(): number;
  /** Opens a conversation with the server behind; it may be over at once, when that server says no. */
  open(request: RelayRequest): RelaySession;
}

export interface RelayRequest {
  readonly verb: 'publish' | 'play';
  readonly origin: { readonly ip: string; readonly port: number; readonly protocol: Protocol };
  /** as the client sent it, null when it sent no text */
  readonly tcUrl: string | null;
  readonly app: string;
  /** the public name, without its query; no secret is in either */
  readonly name: string;
  readonly query: URLSearchParams;
  /** message stream id that the client speaks on */
  readonly streamId: number;
  /** what the server behind says to a player, in chunks of OUT_CHUNK_BYTES; a publisher hears only the gate */
  write(bytes: Uint8Array): void;
  /** The server behind has ended the conversation. */
  ended(): void;
  /** It threw. Nothing more is said to it but the goodbye. */
  failed(error: Error): void;
}

export interface RelaySession {
  /** ended or failed */
  readonly over: boolean;
  /** Hands on a media message of a publisher. */
  deliver(message: { readonly type: number; readonly timestamp: number; readonly payload: Uint8Array }): void;
  /** The client has gone. Idempotent. */
  close(): void;
}
