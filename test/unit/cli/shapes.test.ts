import { afterEach, beforeEach, expect, test } from 'vitest';
import type { z } from 'zod';
import { auditList, receiptList } from '../../../src/http/schemas/audit.ts';
import { backpressure } from '../../../src/http/schemas/governor.ts';
import { nodeHistory, streamHistory } from '../../../src/http/schemas/history.ts';
import {
  addressList,
  apiIndex,
  client,
  clientList,
  effectiveConfig,
  resources,
} from '../../../src/http/schemas/server.ts';
import { kicked, stream, streamList } from '../../../src/http/schemas/stream.ts';
import { type RunningApi, startApi } from '../../contract/http-fixture.ts';
import { headgate } from './capture.ts';

/** What `--json` prints is what the API documents: no more, no less. */
let api: RunningApi;
beforeEach(async () => {
  api = await startApi();
  api.fake.trail.record(
    {
      action: 'refuse',
      reason: 'client_streams',
      scope: 'client',
      key: 'alice',
      limit: 3,
      observed: 4,
      windowMs: null,
      retryAfterMs: 1_000,
      ip: '192.0.2.10',
      protocol: 'rtmp',
      path: '/live/cam1',
      client: 'alice',
      stream: null,
      detail: 'too many streams',
    },
    0,
  );
  api.fake.trail.act({ action: 'kick', by: 'operator', target: 's-1', result: 'ok', detail: 'x' });
});
afterEach(() => api.server.close());

test.each<[string, z.ZodType]>([
  ['streams --json', streamList],
  ['streams --state throttled --protocol rtmp --json', streamList],
  ['top --once --json', streamList],
  ['stream cam1 --json', stream],
  ['clients --json', clientList],
  ['clients alice --json', client],
  ['clients --live --json', clientList],
  ['ips --json', addressList],
  ['ips 192.0.2.10 --json', addressList],
  ['resources --json', resources],
  ['backpressure --json', backpressure],
  ['backpressure shed --below 50 --for 10m --json', backpressure],
  ['backpressure auto --json', backpressure],
  ['kick cam1 --json', kicked],
  ['limit cam1 max_fps=30fps --json', stream],
  ['why cam1 --json', receiptList],
  ['events --json -n 1', auditList.shape.events.element],
  ['events --json --reason client_streams', auditList.shape.events.element],
  ['history --json', nodeHistory],
  ['history cam1 --json', streamHistory],
  ['config --json', effectiveConfig],
  ['api /api/v1', apiIndex],
])('headgate %s', async (line, schema) => {
  const { code, stdout, stderr } = await headgate([...line.split(' '), '--url', api.url]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const printed = JSON.parse(stdout);
  // A schema drops what it does not know: equal means that nothing was there beyond it.
  expect(schema.parse(printed)).toEqual(printed);
});

test('an order goes out as it was typed, and is refused before when it makes no sense', async () => {
  const ask = (line: string) => headgate([...line.split(' '), '--url', api.url]);
  await ask('backpressure shed --below 50 --for 10m');
  expect(api.fake.orders.map(({ order }) => order)).toEqual([
    { mode: 'shed', belowPriority: 50, forMs: 600_000 },
  ]);
  for (const [line, says] of [
    ['backpressure shed', 'shed needs --below N'],
    ['backpressure off --below 3', '--below goes with shed only'],
    ['backpressure --for 3m', '--for goes with off or shed'],
    ['backpressure auto --for 3m', '--for goes with off or shed'],
    ['backpressure shed --below 101', 'Expected 1 to 100'],
    ['backpressure shd --below 10', 'Allowed choices are auto, off, shed'],
    ['backpressure shed --below 10 --for 3', '3 has no unit'],
    ['api api/v1', 'is no path of the API'],
    ['api /api/v1/events', 'headgate events --follow'],
    ['events --since yesterday', '--since yesterday is neither a span such as 2h nor a time'],
    ['events --action kik', 'did you mean kick?'],
    ['events --file x --follow', '--follow asks a server'],
    ['streams --state lve', 'Allowed choices are live'],
  ] as const) {
    const { code, stderr } = await ask(line);
    expect(stderr, line).toContain(says);
    expect([line, code]).toEqual([line, 2]);
  }
  expect(api.fake.orders).toHaveLength(1);
});

test('a client or an endpoint that there is not is an error of one line', async () => {
  for (const line of ['clients nobody', 'api /api/v1/none', 'history s-zzz']) {
    const { code, stdout, stderr } = await headgate([...line.split(' '), '--url', api.url]);
    expect([line, code, stdout]).toEqual([line, 1, '']);
    expect(stderr).toMatch(/^headgate: .+\n$/);
  }
});

test('what the API answers as text comes as it is', async () => {
  const { stdout } = await headgate(['api', '/metrics', '--url', api.url]);
  expect(stdout).toBe('headgate_gate_state 0\n');
});
