import { EventEmitter } from 'node:events';
import type { FastifyRequest } from 'fastify';
import { expect, test } from 'vitest';
import { AccessControl } from '../../../src/http/access.ts';
import { capConnectionsPerAddress } from '../../../src/http/connection-cap.ts';

/** A connection from `address`, as much of it as is looked at. */
function connection(remoteAddress: string) {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress,
    destroyed: false,
    destroy() {
      socket.destroyed = true;
      socket.emit('close');
    },
  });
  return socket;
}

test('who has a whole network of IPv6 holds no more connections than who has one address', () => {
  const server = new EventEmitter();
  capConnectionsPerAddress(server);
  const come = (address: string) => {
    const socket = connection(address);
    server.emit('connection', socket);
    return socket;
  };
  const his = Array.from({ length: 65 }, (_, n) => come(`2001:db8:0:1::${(n + 1).toString(16)}`));
  expect(his.filter(({ destroyed }) => !destroyed)).toHaveLength(64);
  expect(come('2001:db8:0:2::1').destroyed).toBe(false);
  expect(come('::ffff:192.0.2.1').destroyed).toBe(false);
  his[0]!.destroy();
  expect(come('2001:db8:0:1::ffff').destroyed).toBe(false);
  expect(come('2001:db8:0:1::fffe').destroyed).toBe(true);
});

test('nor has he more requests or open answers', () => {
  const keyOf = (ip: string) =>
    new AccessControl(() => [{ token: 'a-token-0123456789', role: 'viewer' }]).identify({
      ip,
      headers: {},
    } as FastifyRequest).limitKey;
  expect(keyOf('2001:db8:0:1::1')).toEqual(keyOf('2001:db8:0:1:ffff::2'));
  expect(keyOf('2001:db8:0:1::1')).not.toEqual(keyOf('2001:db8:0:2::1'));
  expect(keyOf('::ffff:192.0.2.1')).toEqual({ kind: 'address', key: '192.0.2.1' });
});
