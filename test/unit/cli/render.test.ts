import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { samplesOf } from '../../../src/cli/api/node-facts.ts';
import { eventLine } from '../../../src/cli/render/event-line.ts';
import { receiptStory } from '../../../src/cli/render/receipt-story.ts';
import { streamPage } from '../../../src/cli/render/stream-page.ts';
import { streamTable } from '../../../src/cli/render/stream-table.ts';
import { type Line, paint, widthOf } from '../../../src/cli/top/text.ts';
import { REASONS } from '../../../src/core/reasons.ts';
import type { Receipt } from '../../../src/core/verdict.ts';
import { REASON_WORDS } from '../../../src/core/words/reasons.ts';
import { NOW_MS } from './capture.ts';
import { stream } from './top/samples.ts';

function text(lines: readonly Line[]): string {
  return lines.map((line) => paint(line, Number.POSITIVE_INFINITY, false)).join('\n');
}

function receipt(change: Partial<Receipt> = {}): Receipt {
  return {
    id: 'r-1f3c',
    at: '2026-11-20T21:40:10.000Z',
    count: 1,
    last_at: '2026-11-20T21:40:10.000Z',
    action: 'cut',
    reason: 'stream_bitrate',
    scope: 'stream',
    key: '/live/cam1',
    limit: 6_000_000,
    observed: 8_200_000,
    window: 2_000,
    retry_after_ms: 30_000,
    ip: '192.0.2.10',
    protocol: 'rtmp',
    path: '/live/cam1',
    client: 'alice',
    stream: 's-7k2f',
    detail: 'kept exceeding its limit',
    ...change,
  };
}

describe('the table of streams', () => {
  const two = [
    stream('cam1'),
    stream('a-very-long-name-of-a-stage-camera', {
      id: 's-2',
      state: 'dropping',
      client: 'a-long-client-name',
    }),
  ];

  test('shows everything where nothing has to fit', () => {
    expect(text(streamTable([stream('cam1')], null))).toBe(
      [
        'ID      PATH        STATE  CLIENT  ADDRESS     PROTO    BITRATE  LIMIT  USED  FPS     OF     UP',
        's-cam1  /live/cam1  live   alice   192.0.2.10  rtmp   2.61 Mbps  6Mbps   44%   30  60fps  1m01s',
      ].join('\n'),
    );
  });

  test.each([120, 100, 80, 60, 40, 20])('fits %i columns and keeps its lines aligned', (columns) => {
    const lines = streamTable(two, columns).map((line) => paint(line, Number.POSITIVE_INFINITY, true));
    const plain = lines.map(stripVTControlCharacters);
    expect(Math.max(...plain.map(widthOf))).toBeLessThanOrEqual(columns);
    expect(new Set(plain.map(widthOf)).size).toBe(1);
    expect(plain[1]).toContain('s-cam1 ');
  });

  test('unlimited has no percentage', () => {
    const [, row] = streamTable([stream('cam1', { limits: { max_bitrate_bps: null } })], null);
    expect(text([row!])).toMatch(/unlimited {2,}- /);
  });

  test('a name cannot drive the terminal', () => {
    const drawn = text(
      streamTable([stream('cam1', { path: '/live/\u001b[2J\u202e', client: 'a\nb' })], null),
    );
    for (const unsafe of ['\u001b', '\u202e']) expect(drawn).not.toContain(unsafe);
    expect(drawn.split('\n')).toHaveLength(2);
  });
});

describe('the page of a stream', () => {
  test('tells usage against limits, where these come from, and what was decided', () => {
    const cam1 = stream('cam1', {
      state: 'throttled',
      limits: { sources: { max_fps: 'override' }, override_until: '2026-11-20T22:00:00.000Z' },
      usage: { throttled_ms: 3_100, violations: 54 },
    });
    const client = {
      id: 'alice',
      configured: true,
      tier: 'pro',
      priority: 80,
      streams: 2,
      stream_ids: [],
      bitrate_bps: 4_000_000,
      limits: { max_streams: 3, max_bandwidth_bps: null, publish_rate: null },
      utilization: { streams: 2 / 3, publish_rate: 0, bandwidth: 0 },
    };
    expect(
      `${text(streamPage({ stream: cam1, client, receipts: [receipt()] }, false))}\n`,
    ).toMatchInlineSnapshot(`
      "/live/cam1  s-cam1  throttled

      Publisher
        client              alice (tier pro, priority 80)
        from                192.0.2.10:51544 over rtmp
        up                  1m01s, since 2026-11-20 21:40:00Z

      Usage
        bitrate             2.61 Mbps of 6Mbps          #########-----------   44%
        frames              30 fps of 60fps             ##########----------   50%
        packets             73.1/s of 2000/s            #-------------------    4%
        average, peak       2.60 Mbps, 3.10 Mbps
        frames by arrival   29.9 fps
        taken in            19.9 MB in 4453 packets, 1830 frames, 31 of them key
        dropped             0 frames, 0 B
        held back           3.1s
        violations          54

      Limits
        max_bitrate         6Mbps         limits.stream
        max_fps             60fps         override, until 2026-11-20 22:00:00Z
        max_packets_per_sec 2000/s
        on_exceed           throttle
        grace               10s
        cooldown            30s
        share               all that its limits allow

      Client
        id                  alice
        streams             2 of 3                      #############-------   67%
        bandwidth           4.00 Mbps

      Media
        video               h264 1280x720
        audio               aac
        players             2, with 500 kB kept for those who join
        round trip          0.2 ms
        loss                0%

      Last decisions
        2026-11-20 21:40:10Z  cut       stream_bitrate       /live/cam1  alice@192.0.2.10  8.20 Mbps of 6Mbps  r-1f3c
      "
    `);
  });

  test('what only SRT knows of the way', () => {
    const transport = {
      ...{ rtt_ms: 23.4, loss: 0.0042, retransmitted: 40, lost: 42, dropped: 2 },
      ...{ receive_buffer_ms: 118, latency_ms: 120, continuity_errors: 3, encryption_bits: 256 },
    };
    const page = text(
      streamPage(
        { stream: stream('cam1', { protocol: 'srt', transport }), client: null, receipts: [] },
        true,
      ),
    );
    expect(page).toContain('over srt');
    expect(page).toMatch(/loss +0\.42%: 42 packets, 40 came again, 2 never in time/);
    expect(page).toMatch(/latency +120 ms, 118 ms of media waiting/);
    expect(page).toMatch(/gaps +3 in the transport stream/);
    expect(page).toMatch(/encryption +AES-256/);
  });

  test('an IPv6 address stands in brackets; what is not known is not shown', () => {
    const bare = stream('cam1', {
      ip: '2001:db8::1',
      tier: null,
      media: { video_codec: null, width: null, height: null, audio_codec: null },
      transport: { rtt_ms: null, loss: null },
      limits: { max_bitrate_bps: null, grace_ms: null },
    });
    const page = text(streamPage({ stream: bare, client: null, receipts: [] }, true));
    expect(page).toContain('[2001:db8::1]:51544 over rtmp');
    expect(page).toContain('no tier');
    expect(page).toMatch(/video +none yet/);
    expect(page).toMatch(/grace +never/);
    expect(page).toMatch(/max_bitrate +unlimited/);
    expect(page).not.toContain('round trip');
    expect(page).not.toContain('\nClient');
    expect(page).toContain('none: nothing was refused, slowed or cut');
  });
});

describe('the share of a stream on its page', () => {
  const shareOf = (change: Parameters<typeof stream>[1]): string => {
    const lines = streamPage({ stream: stream('cam1', change), client: null, receipts: [] }, false);
    return text(lines.filter(({ spans }) => spans[0]?.text.trim() === 'share')).trim();
  };

  test.each([
    [{}, 'share               all that its limits allow'],
    [
      { share: { ceiling_bps: 1_100_000, by: 'global' as const } },
      "share               1.1Mbps       global: its fair share of the server's bandwidth",
    ],
    [
      { share: { ceiling_bps: 650_000, by: 'shed' as const } },
      'share               650kbps       shed: lowered to keep the server alive',
    ],
    [
      { share: { ceiling_bps: 8_000_000, by: 'client' as const } },
      'share               all that its limits allow',
    ],
  ])('%j', (change, says) => {
    expect(shareOf(change)).toBe(says);
  });
});

describe('a receipt as a story', () => {
  const told = (change: Partial<Receipt>): string => text(receiptStory(receipt(change), NOW_MS));

  test('says when, who, what, limit against observed, until when, and what to do', () => {
    expect(told({})).toBe(
      [
        'r-1f3c  2026-11-20 21:40:10Z (1m00s ago)  stream_bitrate',
        '  /live/cam1 of alice from 192.0.2.10 over rtmp, stream s-7k2f, was disconnected because it sent 8.20 Mbps where max_bitrate is 6Mbps (over 2s).',
        '  Told then: kept exceeding its limit.',
        '  It may come back after 30s (2026-11-20 21:40:40Z), which is over.',
        "  Lower the encoder's bitrate, or raise max_bitrate of the stream.",
      ].join('\n'),
    );
  });

  test.each([
    [
      'a wait that is not over is counted down',
      { retry_after_ms: 90_000 },
      'after 90s (2026-11-20 21:41:40Z), in 30s.',
    ],
    ['a wait is never rounded down', { retry_after_ms: 1_200.5 }, 'It may come back after 2s'],
    [
      'never is told apart from not yet',
      { retry_after_ms: null },
      'Trying again will not help as things are.',
    ],
    ['no wait is said', { retry_after_ms: 0 }, 'It may come back at once.'],
    [
      'a burst under the average limit is told as one',
      { observed: 3_800_000 },
      'because a burst went over its limit of 6Mbps (3.80 Mbps on average over 2s).',
    ],
    [
      'a flood says how many',
      { count: 57, last_at: '2026-11-20T21:40:11.000Z' },
      '57 times in all, the last at 2026-11-20 21:40:11Z.',
    ],
    [
      'a live stream is pointed to',
      { action: 'throttle' as const },
      '; `headgate stream s-7k2f` shows where it comes from.',
    ],
    [
      'a connection has no path',
      {
        path: null,
        client: null,
        stream: null,
        reason: 'ip_connections' as const,
        limit: 20,
        observed: 20,
        window: null,
      },
      'A connection from 192.0.2.10 over rtmp was disconnected because this address had 20 connections open and may have 20.',
    ],
    [
      'a rate has its period',
      { reason: 'client_publish_rate' as const, limit: 100, observed: 101, window: 60_000 },
      'tried to publish 101 times where 100/min is allowed.',
    ],
    ['many addresses share a receipt', { ip: '*', path: null }, 'A connection from many addresses'],
  ])('%s', (_what, change, says) => {
    expect(told(change)).toContain(says);
  });

  test.each([
    [
      'a closed gate has percentages',
      { reason: 'resource_cpu' as const, limit: 0.9, observed: 0.9432, window: 5_000 },
      'because the CPU of the server was, or would have become, 94% busy where newcomers like it may fill it up to 90% (over 5s).',
    ],
    [
      'a late loop has milliseconds',
      { reason: 'resource_event_loop' as const, limit: 200, observed: 312, window: null },
      'because the server answered 312 ms late where newcomers like it are let in up to 200ms.',
    ],
    [
      'a mark that reservations drew is rounded',
      { reason: 'resource_memory' as const, limit: 0.8333333, observed: 0.87, window: null },
      '87% full where newcomers like it may fill it up to 83.3%.',
    ],
    [
      'a resource of which nothing is known has no numbers',
      { reason: 'resource_cpu' as const, limit: 0.72, observed: null, window: null },
      'because the server was short of CPU.',
    ],
    [
      'a stream that is lowered is told to what',
      { reason: 'shed' as const, action: 'throttle' as const, limit: 650_000, observed: 2_610_000 },
      'was slowed down because the server is overloaded, and to keep others alive it leaves it 650kbps of the 2.61 Mbps it sends (over 2s).',
    ],
    [
      'a stream that is given up is told why, and until when',
      { reason: 'shed' as const, limit: null, observed: null, window: null, retry_after_ms: 90_000 },
      'was disconnected because the server had to give up streams of low priority to keep the others alive.',
    ],
  ])('%s', (_what, change, says) => {
    expect(told(change)).toContain(says);
  });

  test('nothing to wait for is not mentioned', () => {
    expect(told({ action: 'throttle', retry_after_ms: 0 })).not.toContain('come back');
  });

  test.each(REASONS)('%s can be told with numbers and without', (reason) => {
    expect(REASON_WORDS[reason].advice).toMatch(/^[A-Z].*[^.]$/);
    for (const numbers of [{}, { limit: null, observed: null, window: null }]) {
      const story = told({ reason, action: 'refuse', ...numbers });
      expect(story).not.toMatch(/LIMIT|SEEN|NaN|undefined|null/);
    }
  });

  test('a word of a newer server is told as it is', () => {
    expect(told({ reason: 'moon_phase' as 'shed', action: 'eclipse' as 'cut' })).toContain('moon_phase');
  });
});

describe('an event on one line', () => {
  test('of a receipt', () => {
    expect(text([eventLine({ kind: 'receipt', receipt: receipt({ count: 3 }) })])).toBe(
      '2026-11-20 21:40:10Z  cut       stream_bitrate       /live/cam1  alice@192.0.2.10  8.20 Mbps of 6Mbps  3 times  r-1f3c',
    );
  });

  test.each([
    ['ok' as const, 's-7k2f', 'kick      by operator@127.0.0.1 on s-7k2f: too loud'],
    ['failed' as const, null, 'kick      by operator@127.0.0.1 failed: too loud'],
  ])('of an action that went %s', (result, target, says) => {
    const action = {
      id: 'a-1',
      at: '2026-11-20T21:40:10.000Z',
      action: 'kick' as const,
      by: 'operator@127.0.0.1',
      target,
      result,
      detail: 'too loud',
    };
    expect(text([eventLine({ kind: 'audit', action })])).toBe(`2026-11-20 21:40:10Z  ${says}`);
  });
});

test.each([
  ['backpressure' as const, 'backpressure  by governor: x'],
  ['gate' as const, 'gate      by governor: x'],
])('the word for %s is never cut', (action, says) => {
  const at = '2026-11-20T21:40:10.000Z';
  const told = { id: 'a-1', at, action, by: 'governor', target: null, result: 'ok', detail: 'x' } as const;
  expect(text([eventLine({ kind: 'audit', action: told })])).toBe(`2026-11-20 21:40:10Z  ${says}`);
});

test('samples of one metric are read out of the exposition format', () => {
  const exposition = [
    '# HELP x_total of "x"',
    'x_total{reason="a\\"b\\\\c\\nd",scope="ip"} 3',
    'x_total_more{reason="no"} 9',
    'x_total 1.5',
    '',
  ].join('\n');
  expect(samplesOf(exposition, 'x_total')).toEqual([
    { labels: { reason: 'a"b\\c\nd', scope: 'ip' }, value: 3 },
    { labels: {}, value: 1.5 },
  ]);
});
