import { describe, expect, test } from 'vitest';
import { addressTable, clientTable } from '../../../src/cli/render/client-table.ts';
import { resourcePage } from '../../../src/cli/render/resource-table.ts';
import { streamTable } from '../../../src/cli/render/stream-table.ts';
import { type Line, paint, widthOf } from '../../../src/cli/top/text.ts';
import type { ClientSnapshot, IpSnapshot } from '../../../src/http/ports.ts';
import { FakeServer } from '../../contract/http-fixture.ts';
import { stream } from './top/samples.ts';

const drawn = (lines: readonly Line[]): string[] =>
  lines.map((line) => paint(line, Number.POSITIVE_INFINITY, false).trimEnd());

const client = (id: string, change: Partial<ClientSnapshot> = {}): ClientSnapshot => ({
  id,
  configured: true,
  tier: 'pro',
  priority: 80,
  streams: 2,
  stream_ids: ['s-1', 's-2'],
  bitrate_bps: 18_400_000,
  limits: { max_streams: 3, max_bandwidth_bps: 20_000_000, publish_rate: { count: 100, period_ms: 60_000 } },
  utilization: { streams: 0.67, publish_rate: 0.02, bandwidth: 0.92 },
  ...change,
});

const address = (ip: string, change: Partial<IpSnapshot> = {}): IpSnapshot => ({
  ip,
  connections: 3,
  streams: 2,
  bitrate_bps: 18_400_000,
  exempt: false,
  cooldown_ms: 0,
  cooldown_reason: null,
  limits: { max_connections: 20, connection_rate: { count: 10, period_ms: 1_000 }, max_bandwidth_bps: null },
  utilization: { connections: 0.15, connection_rate: 0.3, bandwidth: 0 },
  ...change,
});

const TABLES: readonly (readonly [name: string, of: (width: number | null) => Line[]])[] = [
  [
    'streams',
    (width) =>
      streamTable(
        [stream('cam1'), stream('a-long-name-of-a-camera', { id: 's-9x2', state: 'dropping' })],
        width,
      ),
  ],
  [
    'clients',
    (width) =>
      clientTable(
        [
          client('alice'),
          client('2001:db8:1234:5678::/64', {
            configured: false,
            tier: null,
            limits: { max_streams: null, max_bandwidth_bps: null, publish_rate: null },
          }),
        ],
        width,
      ),
  ],
  [
    'addresses',
    (width) =>
      addressTable(
        [
          address('192.0.2.10'),
          address('2001:db8:1234:5678::/64', { cooldown_ms: 61_000, cooldown_reason: 'stream_bitrate' }),
        ],
        width,
      ),
  ],
  ['resources', (width) => resourcePage(new FakeServer().server.resources(), width).slice(1, -2)],
];

describe.each(TABLES)('the table of %s', (name, of) => {
  test.each([40, 80, 140])('at %i columns', (columns) => {
    const lines = drawn(of(columns));
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
    expect(lines.join('\n')).toMatchSnapshot(`${name} ${columns}`);
  });

  test('loses no column where nothing has to fit', () => {
    expect(drawn(of(null))[0]).toBe(drawn(of(1_000))[0]);
  });
});

test('a resource that is not looked at is off, and not at ease', () => {
  const calm = new FakeServer().server.resources();
  const cpu = { ...calm.resources.cpu, value: null, degrade: null, close: null };
  const [title, row] = resourcePage({ ...calm, resources: { ...calm.resources, cpu } }, null)
    .slice(1)
    .map(({ spans }) => spans.map(({ text }) => text).join(''));
  expect(title).toMatch(/^RESOURCE/);
  expect(row).toMatch(/^cpu +- +- +- +off /);
});
