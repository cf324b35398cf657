import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { ConnectionLease } from '../../../src/core/admission/admission.ts';
import { RtmpConnection } from '../../../src/ingest/rtmp/connection.ts';
import type { RtmpServices } from '../../../src/ingest/rtmp/services.ts';

class FakeSocket extends EventEmitter {
  destroyed = false;

  write(): boolean {
    return true;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

test('when the engine has no room, a connection is refused and the process lives', () => {
  const refused: string[] = [];
  const services = {
    engine: {
      open: () => {
        throw new RangeError('headgate engine: too many connections');
      },
    },
    desk: {
      refuseConnection: (_origin: unknown, reason: string) => {
        refused.push(reason);
        return '';
      },
    },
    timeouts: () => ({ handshake: 5_000, publish: 10_000, idle: 15_000 }),
  } as unknown as RtmpServices;
  let released = 0;
  const lease = { release: () => (released += 1) } as unknown as ConnectionLease;
  let closed = 0;
  const origin = { ip: '127.0.0.1', port: 1, protocol: 'rtmp' } as const;
  const connection = new RtmpConnection(services, origin, lease, () => (closed += 1), 0);
  const socket = new FakeSocket();
  connection.bind(socket as unknown as Socket);
  const handshake = Buffer.alloc(1 + 2 * 1_536);
  handshake[0] = 3;
  connection.read(handshake, handshake.length);
  expect({ refused, released, closed, destroyed: socket.destroyed }).toEqual({
    refused: ['global_connections'],
    released: 1,
    closed: 1,
    destroyed: true,
  });
});
