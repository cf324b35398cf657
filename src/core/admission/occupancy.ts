import type { EventRate } from '../limits.ts';
import { ClientLedger, type ClientUse } from './client-ledger.ts';

/**
 * Who holds what now: connections and streams, in all, by address and by
 * client. Only leases change it. An address is here while it holds something,
 * so the map is bounded by what is open and empty when all is closed.
 */

export interface AddressUse {
  /** an IPv4 address or an IPv6 network, as `ipKey` gives it */
  readonly key: string;
  connections: number;
  /** of these, how many are on the `allow` list */
  exempt: number;
  streams: number;
}

export class Occupancy {
  connections = 0;
  streams = 0;
  readonly addresses = new Map<string, AddressUse>();
  readonly clients: ClientLedger;
  /** called after each change */
  changed: () => void = () => {};

  constructor(clientsRemembered: number) {
    this.clients = new ClientLedger(clientsRemembered);
  }

  /** `known` is what `addresses` says of the key now: the caller has looked it up to decide. */
  addConnection(known: AddressUse | undefined, key: string, exempt: boolean): AddressUse {
    const use = known ?? { key, connections: 0, exempt: 0, streams: 0 };
    if (known === undefined) this.addresses.set(key, use);
    use.connections++;
    if (exempt) use.exempt++;
    this.connections++;
    this.changed();
    return use;
  }

  removeConnection(use: AddressUse, exempt: boolean): void {
    use.connections--;
    if (exempt) use.exempt--;
    this.connections--;
    this.#forgetIdle(use);
    this.changed();
  }

  /** `known` is what `clients` says of the client now; `rate` is charged unless it is null. */
  addStream(
    address: AddressUse,
    known: ClientUse | undefined,
    client: string,
    rate: EventRate | null,
    now: number,
  ): ClientUse {
    address.streams++;
    this.streams++;
    const use = this.clients.add(known, client, rate, now);
    this.changed();
    return use;
  }

  removeStream(address: AddressUse, use: ClientUse): void {
    this.clients.remove(use);
    address.streams--;
    this.streams--;
    this.#forgetIdle(address);
    this.changed();
  }

  busiestAddress(): number {
    let most = 0;
    for (const { connections, exempt } of this.addresses.values())
      most = Math.max(most, connections - exempt);
    return most;
  }

  #forgetIdle(use: AddressUse): void {
    if (use.connections === 0 && use.streams === 0) this.addresses.delete(use.key);
  }
}
