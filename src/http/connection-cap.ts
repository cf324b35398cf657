import type { Socket } from 'node:net';
import { callerAddress } from './request-limit.ts';

/** Connections from one address, so that one stranger cannot hold every place. */
const CONNECTIONS_PER_ADDRESS_MAX = 64;

/** Closes what one address opens beyond its share of `server`'s connections. */
export function capConnectionsPerAddress(server: {
  on(event: 'connection', listener: (socket: Socket) => void): unknown;
}): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const address = callerAddress(socket.remoteAddress ?? '');
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.once('close', () => {
      const left = open.get(address)! - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
    if (count > CONNECTIONS_PER_ADDRESS_MAX) socket.destroy();
  });
}
