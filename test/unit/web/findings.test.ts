import { describe, expect, test } from 'vitest';
import { gateReading } from '../../../src/app/governance-view.ts';
import type { GovernorSnapshot } from '../../../src/core/pressure/governor-snapshot.ts';
import type { NodeSnapshot } from '../../../src/http/ports.ts';
import { findingsOf, type Scene } from '../../../web/overview/findings.ts';
import { streamSnapshot } from '../../contract/http-fixture.ts';
import { calmGovernor, pressedGovernor } from '../../support/governor-snapshot.ts';

const AT = '2026-11-20T21:45:00.000Z';

function nodeOf(governed: GovernorSnapshot, change: Partial<NodeSnapshot> = {}): NodeSnapshot {
  const gate = gateReading(governed, null);
  return {
    at: AT,
    about: { name: 'headgate', version: '1.0.0', node_id: 'n', started_at: AT },
    readiness: { ready: gate.open, reasons: gate.reasons, retry_after_ms: 0, config_error: null },
    totals: { streams: 2, bitrate_bps: 5e6, bytes: 1, packets_per_sec: 1, connections: 3 },
    limits: { max_connections: 1_000, max_streams: 500, max_bandwidth_bps: 2e9 },
    resources: {
      ...governed,
      gate,
      process: {
        pid: 1,
        uptime_ms: 1,
        cpu_seconds: 1,
        rss_bytes: 1,
        heap_used_bytes: 1,
        heap_limit_bytes: 1,
        external_bytes: 1,
        array_buffers_bytes: 1,
      },
      engine: {
        connections: 1,
        gop_bytes: 1,
        pending_bytes: 0,
        gop_evictions: 0,
        slab: { streams: 1, nodes: 1 },
      },
    },
    denied: {},
    ...change,
  };
}

function found(change: Partial<Scene>): string[] {
  const scene = { node: nodeOf(calmGovernor()), streams: [], refused: {}, ...change };
  return findingsOf(scene).map(({ tone, what }) => `${tone} ${what}`);
}

test('a calm node with streams within their limits has no finding', () => {
  expect(found({ streams: [streamSnapshot(1), streamSnapshot(2)] })).toEqual([]);
});

test('the worst stands first: the gate, what closed it, who is given up, then the rest', () => {
  const told = found({ node: nodeOf(pressedGovernor()) });
  expect(told[0]).toMatch(/^bad The gate is closed: newcomers are refused.*opens in 4\.2 s/);
  expect(told[1]).toMatch(/^bad CPU is at 93 %; 90 % is the mark at which the gate closes$/);
  expect(told[2]).toMatch(/^bad To keep the others alive streams are given up, from priority 10 upwards/);
  expect(told).toContainEqual(expect.stringMatching(/^warn Event loop delay is at 92 ms; 50 ms is the mark/));
  expect(told).toContainEqual(expect.stringMatching(/^warn Bandwidth .* held to 64 % .* because of cpu$/));
  const ranks = told.map((line) => ['bad', 'warn', 'info'].indexOf(line.split(' ', 1)[0]!));
  expect(ranks).toEqual(ranks.toSorted());
});

test('every finding that asks for something says what to do', () => {
  const scene = { node: nodeOf(pressedGovernor()), streams: [], refused: { client_streams: 2 } as const };
  for (const { what, advice, link } of findingsOf(scene))
    expect({ what, told: advice ?? link }).not.toMatchObject({ told: null });
});

describe('what needs a look', () => {
  const calm = nodeOf(calmGovernor());
  test.each<[string, Partial<Scene>, RegExp]>([
    [
      'a sampler that fails',
      {
        node: nodeOf(
          calmGovernor({
            resources: {
              ...calmGovernor().resources,
              cpu: { ...calmGovernor().resources.cpu, value: null, cause: 'no /proc' },
            },
          }),
        ),
      },
      /^warn CPU is not measured: no \/proc$/,
    ],
    [
      'a config that was not taken',
      { node: { ...calm, readiness: { ...calm.readiness, config_error: 'x.yaml:3:1 bad' } } },
      /^warn The last change of the config was refused: x\.yaml:3:1 bad$/,
    ],
    [
      'streams running out',
      { node: { ...calm, totals: { ...calm.totals, streams: 460 } } },
      /^warn 460 streams are live and 500 may be$/,
    ],
    [
      'connections running out',
      { node: { ...calm, totals: { ...calm.totals, connections: 900 } } },
      /^warn 900 connections are open and 1,000 may be$/,
    ],
    [
      'a shutdown',
      {
        node: nodeOf(calmGovernor(), {
          resources: { ...calm.resources, gate: gateReading(calmGovernor(), AT) },
        }),
      },
      /^bad The server shuts down/,
    ],
    [
      'one stream losing frames',
      { streams: [streamSnapshot(7, { state: 'dropping' })] },
      /^warn \/live\/cam7 is over a limit and losing video frames$/,
    ],
    [
      'some streams slowed down',
      { streams: [1, 2, 3].map((n) => streamSnapshot(n, { state: 'throttled' })) },
      /^info 3 streams are slowed down to a limit$/,
    ],
    [
      'refusals',
      { refused: { ip_connections: 2, client_streams: 9, denied: 1, cooldown: 1 } },
      /^info 13 refused in the last minute: client_streams 9, ip_connections 2, denied 1, \.\.\.$/,
    ],
  ])('%s', (_what, scene, pattern) => {
    const told = found(scene);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(pattern);
  });
});
