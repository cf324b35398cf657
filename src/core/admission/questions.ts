import type { ClientLimits, EventRate } from '../limits.ts';
import type { Denial } from '../verdict.ts';
import type { PublishLease } from './leases.ts';

/** What admission is asked with, and what it shows of itself. */

/** The parts of the config that admission holds. Addresses and networks are text that `parseCidr` reads. */
export interface AdmissionConfig {
  readonly limits: {
    readonly global: {
      readonly max_connections: number;
      readonly connection_rate: EventRate;
      readonly max_streams: number;
    };
    readonly ip: {
      readonly max_connections: number;
      readonly connection_rate: EventRate;
      /** 1..128: how much of an IPv6 address is one publisher */
      readonly ipv6_prefix: number;
    };
  };
  /** never limited, still counted */
  readonly allow: readonly string[];
  /** never let in; asked before `allow` */
  readonly deny: readonly string[];
}

/** A reason from outside to let nobody in: the denial, or null. `exempt`: the address is on the `allow` list. */
export type GateCheck = (now: number, exempt: boolean) => Denial | null;

export interface PublishRequest {
  readonly client: string;
  /** names the stream key without being it */
  readonly keyId: string;
  /** named in refusals */
  readonly path: string;
  /** the client's effective limits for this stream */
  readonly limits: ClientLimits;
  /** who publishes under that path already */
  readonly occupant: Occupant | null;
  /** what the machine has against this one; refused then, but not told less than the longest delay of all */
  readonly short?: Denial | null;
}

export interface Occupant {
  /** true: a silent ghost of the same publisher, replaced by this one */
  readonly takeover: boolean;
  /** what it holds, null when it holds nothing any more */
  readonly lease: PublishLease | null;
}

/** What is refused for a while. Each field given is refused by itself. */
export interface CooldownSubject {
  /** at connect, this address (IPv6: its network), unless it holds a live stream then */
  readonly ip?: string;
  /** at publish, these key ids, from whatever address */
  readonly keys?: readonly string[];
}

export interface AddressSnapshot {
  readonly key: string;
  readonly connections: number;
  readonly streams: number;
  /** every connection it holds is on the `allow` list */
  readonly exempt: boolean;
  /** part of its rate of new connections that is used up, 0 to 1 */
  readonly rateUsed: number;
  /** ms, 0 when there is none */
  readonly cooldownMs: number;
  /** the reason word that started the cooldown */
  readonly cooldownCause: string | null;
}

export interface GlobalSnapshot {
  readonly connections: number;
  readonly streams: number;
  /** the most connections that one address holds, those of the allow list left out */
  readonly busiestAddress: number;
  readonly maxConnections: number;
  readonly maxStreams: number;
  /** entries kept for addresses and clients that hold nothing: rate windows and cooldowns */
  readonly remembered: number;
  /** cooldowns and clients' publishes given up because their table was full */
  readonly forgotten: number;
  /** connections answered "not yet" because the table of addresses was full */
  readonly refusedFull: number;
}
