import type { Grant, Lease } from '../verdict.ts';
import type { ClientUse } from './client-ledger.ts';
import type { AddressUse, Occupancy } from './occupancy.ts';

/** One admitted connection. Given back when its socket closes, whatever happened. */
export interface ConnectionLease extends Lease {
  /** the address as the socket gave it */
  readonly ip: string;
  /** the key per-address limits are held on: IPv6 by its network */
  readonly ipKey: string;
  /** on the `allow` list: never limited, still counted */
  readonly exempt: boolean;
  /** false once released */
  readonly held: boolean;
}

/** One admitted stream. Given back when it ends; the connection's lease is another. */
export interface PublishLease extends Lease {
  readonly client: string;
  /** false once released */
  readonly held: boolean;
}

/** A lease that is its own grant: admitting allocates one object. */
export class ConnectionGrant implements ConnectionLease, Grant<ConnectionLease> {
  readonly allowed = true;
  readonly ip: string;
  readonly exempt: boolean;
  readonly use: AddressUse;
  readonly #occupancy: Occupancy;
  #held = true;

  constructor(
    occupancy: Occupancy,
    known: AddressUse | undefined,
    ip: string,
    ipKey: string,
    exempt: boolean,
  ) {
    this.ip = ip;
    this.exempt = exempt;
    this.use = occupancy.addConnection(known, ipKey, exempt);
    this.#occupancy = occupancy;
  }

  get lease(): ConnectionLease {
    return this;
  }

  get ipKey(): string {
    return this.use.key;
  }

  get held(): boolean {
    return this.#held;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#occupancy.removeConnection(this.use, this.exempt);
  }
}

export class PublishGrant implements PublishLease, Grant<PublishLease> {
  readonly allowed = true;
  readonly #address: AddressUse;
  readonly #use: ClientUse;
  readonly #occupancy: Occupancy;
  #held = true;

  constructor(occupancy: Occupancy, address: AddressUse, use: ClientUse) {
    this.#address = address;
    this.#use = use;
    this.#occupancy = occupancy;
  }

  get lease(): PublishLease {
    return this;
  }

  get client(): string {
    return this.#use.client;
  }

  get held(): boolean {
    return this.#held;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#occupancy.removeStream(this.#address, this.#use);
  }
}
