import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Cidr,
  CidrSet,
  CidrTable,
  formatIp,
  type IpAddress,
  ipKey,
  parseCidr,
  parseIp,
  UNKNOWN_IP_KEY,
} from '../../../src/lib/ip.ts';

const canonical = (text: string): string | null => {
  const address = parseIp(text);
  return address === null ? null : formatIp(address);
};

const cidr = (text: string): Cidr => {
  const result = parseCidr(text);
  if (!result.ok) throw new Error(result.error);
  return result.cidr;
};

const ip = (text: string): IpAddress => parseIp(text)!;

describe('parseIp', () => {
  it.each([
    ['192.0.2.10', '192.0.2.10'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8::A', '2001:db8::a'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0db8:0000:0000:0001:0000:0000:0000', '2001:db8:0:0:1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:0102:0304', '1.2.3.4'],
    ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
  ])('reads %s as %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1..2.3',
    '.1.2.3',
    '1.2.3.',
    '0x1.2.3.4',
    'localhost',
    ':',
    ':::',
    '1::2::3',
    ':1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:8:',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '12345::',
    'g::',
    '::1.2.3',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1.2.3.4::',
    '::1.2.3.4:5',
    `::${'0'.repeat(200)}`,
  ])('refuses %j', (text) => {
    expect(parseIp(text)).toBeNull();
  });

  it('agrees with Node on what is an address', () => {
    const piece = fc.constantFrom('0', '1', 'ff', '255', '256', 'abcd', '.', ':', '::', '10', '00');
    const text = fc.array(piece, { maxLength: 18 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(fc.oneof(text, fc.ipV4(), fc.ipV6()), (candidate) => {
        expect(parseIp(candidate) !== null).toBe(isIP(candidate) !== 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives text that reads back as the same address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseIp(text)!;
        expect(parseIp(formatIp(address))).toEqual(address);
        if (address.family === 6)
          expect(formatIp(address)).toBe(new URL(`http://[${text}]/`).hostname.slice(1, -1));
      }),
    );
  });
});

describe('ipKey', () => {
  it('keys IPv4 by address and IPv6 by its network', () => {
    expect(ipKey('192.0.2.10', 64)).toBe('192.0.2.10');
    expect(ipKey('::ffff:192.0.2.10', 64)).toBe('192.0.2.10');
    expect(ipKey('2001:db8:0:1:dead:beef::1', 64)).toBe('2001:db8:0:1::/64');
    expect(ipKey('2001:db8:0:1ff::1', 56)).toBe('2001:db8:0:100::/56');
    expect(ipKey('2001:db8::1', 128)).toBe('2001:db8::1');
    expect(ipKey('2001:db8::1', 0)).toBe('::/0');
  });

  it('gives what cannot be read one key of its own', () => {
    expect(ipKey('', 64)).toBe(UNKNOWN_IP_KEY);
    expect(ipKey('somewhere', 64)).toBe(UNKNOWN_IP_KEY);
  });
});

describe('parseCidr', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['203.0.113.7', '203.0.113.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.1', '10.0.0.1/32'],
  ])('reads %s as %s', (text, expected) => {
    expect(cidr(text).text).toBe(expected);
  });

  it.each([
    '',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '::/129',
    'fe80::1%eth0/64',
    '::ffff:1.2.3.4/95',
    'a/b',
  ])('refuses %j with one sentence', (text) => {
    const result = parseCidr(text);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.error).toMatch(/^".*" .+/);
  });
});

describe('CidrSet', () => {
  it('holds the addresses of its networks and no others', () => {
    const set = new CidrSet(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '2001:db9:0:1::/64'].map(cidr));
    expect(set.size).toBe(4);
    for (const inside of [
      '10.255.0.1',
      '192.0.2.7',
      '2001:db8:ffff::1',
      '2001:db9:0:1::9',
      '::ffff:10.0.0.1',
    ]) {
      expect(set.has(ip(inside)), inside).toBe(true);
    }
    for (const outside of ['11.0.0.0', '192.0.2.8', '2001:db9::1', '::a00:1']) {
      expect(set.has(ip(outside)), outside).toBe(false);
    }
  });

  it('keeps the families apart: ::/0 is every IPv6 address and no IPv4 one', () => {
    const set = new CidrSet([cidr('::/0')]);
    expect(set.has(ip('::1'))).toBe(true);
    expect(set.has(ip('127.0.0.1'))).toBe(false);
  });

  it("agrees with Node's BlockList", () => {
    const network = fc.oneof(
      fc.tuple(
        fc.constantFrom('10.0.0.0', '10.128.0.0', '192.0.2.129', '255.255.255.255'),
        fc.integer({ min: 0, max: 32 }),
      ),
      fc.tuple(
        fc.constantFrom('2001:db8::', '2001:db8:0:1::', '::', 'ffff:ffff::1'),
        fc.integer({ min: 0, max: 128 }),
      ),
    );
    const probe = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('10.0.0.1', '10.128.1.1', '192.0.2.130', '2001:db8::1', '2001:db8:0:1::5', '::1'),
    );
    fc.assert(
      fc.property(
        fc.array(network, { maxLength: 8 }),
        fc.array(probe, { maxLength: 8 }),
        (networks, probes) => {
          // BlockList matches IPv4 against ::/0, so each family gets a list of its own.
          const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
          for (const [address, prefix] of networks) {
            const family = address.includes(':') ? 'ipv6' : 'ipv4';
            lists[family].addSubnet(address, prefix, family);
          }
          const set = new CidrSet(networks.map(([address, prefix]) => cidr(`${address}/${prefix}`)));
          for (const address of probes) {
            const parsed = ip(address);
            const family = parsed.family === 6 ? 'ipv6' : 'ipv4';
            expect(set.has(parsed)).toBe(lists[family].check(formatIp(parsed), family));
          }
        },
      ),
    );
  });
});

describe('CidrTable', () => {
  it('visits the values of every network that holds the address', () => {
    const table = new CidrTable<string>();
    table.add(cidr('10.0.0.0/8'), 'ten');
    table.add(cidr('10.1.0.0/16'), 'ten-one');
    table.add(cidr('10.0.0.0/8'), 'ten again');
    table.add(cidr('192.0.2.0/24'), 'other');
    const seen: string[] = [];
    table.visit(ip('10.1.2.3'), (values) => seen.push(...values));
    expect(seen.sort()).toEqual(['ten', 'ten again', 'ten-one']);
  });
});
