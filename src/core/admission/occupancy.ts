/**
 * Who holds what now: connections and streams, in all, by address and by
 * client. Only leases change it. An entry lives while something is held, so
 * the maps are bounded by what is open and empty when all is closed.
 */

export interface AddressUse {
  /** an IPv4 address or an IPv6 network, as `ipKey` gives it */
  readonly key: string;
  connections: number;
  /** of these, how many are on the `allow` list */
  exempt: number;
  streams: number;
}

export interface ClientUse {
  readonly client: string;
  streams: number;
}

export class Occupancy {
  connections = 0;
  streams = 0;
  readonly addresses = new Map<string, AddressUse>();
  readonly clients = new Map<string, ClientUse>();

  addConnection(key: string, exempt: boolean): AddressUse {
    let use = this.addresses.get(key);
    if (use === undefined) {
      use = { key, connections: 0, exempt: 0, streams: 0 };
      this.addresses.set(key, use);
    }
    use.connections++;
    if (exempt) use.exempt++;
    this.connections++;
    return use;
  }

  removeConnection(use: AddressUse, exempt: boolean): void {
    use.connections--;
    if (exempt) use.exempt--;
    this.connections--;
    this.#forgetIdle(use);
  }

  addStream(address: AddressUse, client: string): ClientUse {
    let use = this.clients.get(client);
    if (use === undefined) {
      use = { client, streams: 0 };
      this.clients.set(client, use);
    }
    use.streams++;
    address.streams++;
    this.streams++;
    return use;
  }

  removeStream(address: AddressUse, use: ClientUse): void {
    use.streams--;
    address.streams--;
    this.streams--;
    if (use.streams === 0) this.clients.delete(use.client);
    this.#forgetIdle(address);
  }

  #forgetIdle(use: AddressUse): void {
    if (use.connections === 0 && use.streams === 0) this.addresses.delete(use.key);
  }
}
