import { describe, expect, it } from 'vitest';
import { collide, formatListenAddress, isLoopback, parseListenAddress } from '../../../src/config/address.ts';

function problem(input: unknown): string {
  const read = parseListenAddress(input);
  return read.ok ? '' : read.problem;
}

describe('listen addresses', () => {
  it.each([
    ['0.0.0.0:1935', { host: '0.0.0.0', port: 1935 }],
    ['[::1]:1935', { host: '::1', port: 1935 }],
    ['[::]:0', { host: '::', port: 0 }],
    ['localhost:8080', { host: 'localhost', port: 8080 }],
    ['my_host.internal:65535', { host: 'my_host.internal', port: 65535 }],
  ])('reads %s and writes it back', (text, address) => {
    expect(parseListenAddress(text)).toEqual({ ok: true, value: address });
    expect(formatListenAddress(address)).toBe(text);
  });

  it.each<[unknown, string]>([
    [1935, '1935 is a port without an address; write 0.0.0.0:1935'],
    [':1935', '":1935" is a port without an address'],
    ['0.0.0.0', '"0.0.0.0" has no port; write it as 0.0.0.0:1935'],
    ['::1', 'has an IPv6 address without brackets'],
    ['::1:1935', 'has an IPv6 address without brackets; write "[::1]:1935", in quotes'],
    ['[::1]', '"[::1]" has no port; write it as "[::1]:1935"'],
    ['[::g]:1935', 'has no IPv6 address in its brackets'],
    ['0.0.0.0:70000', 'has port 70000; ports go up to 65535'],
    ['256.0.0.1:1935', 'has no valid IPv4 address'],
    ['*:1935', 'has * for an address; write 0.0.0.0:1935'],
    ['a b:1935', 'has no valid host name'],
    ['http://x:80', 'IPv6 address without brackets'],
    ['', '"" has no port'],
    [true, 'true is not an address'],
    [null, 'an empty value is not an address'],
    [{}, 'a section is not an address'],
  ])('refuses %j', (input, expected) => {
    expect(problem(input)).toContain(expected);
  });

  it.each([
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['::1', true],
    ['LocalHost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['::ffff:127.0.0.1', true],
    ['localhost.example', false],
  ])('knows whether only this machine reaches %s: %s', (host, expected) => {
    expect(isLoopback({ host, port: 1 })).toBe(expected);
  });

  it.each([
    ['0.0.0.0', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['::', '127.0.0.1', true],
    ['localhost', 'LOCALHOST', true],
  ])('%s and %s on one port exclude one another: %s', (a, b, expected) => {
    expect(collide({ host: a, port: 5 }, { host: b, port: 5 })).toBe(expected);
    expect(collide({ host: b, port: 5 }, { host: a, port: 5 })).toBe(expected);
    expect(collide({ host: a, port: 5 }, { host: b, port: 6 })).toBe(false);
  });
});
