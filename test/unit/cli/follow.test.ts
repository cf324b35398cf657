import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EventSource, type Followed, follow } from '../../../src/cli/api/follow.ts';
import { SseParser } from '../../../src/cli/api/sse.ts';
import { HeadgateError } from '../../../src/lib/errors.ts';

describe('server-sent events', () => {
  const TEXT =
    ': hello\nretry: 3000\n\nevent: receipt\ndata: {"a":1}\n\ndata: one\r\ndata: two\r\n\r\nevent: empty\n\ndata:three\r\rdata\n\n';
  const EVENTS = [
    { event: 'receipt', data: '{"a":1}' },
    { event: 'message', data: 'one\ntwo' },
    { event: 'message', data: 'three' },
    { event: 'message', data: '' },
  ];

  test('are read as the standard says', () => {
    expect(new SseParser().push(TEXT)).toEqual(EVENTS);
  });

  test('are the same however the text arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(TEXT.length), { maxLength: 20 }), (cuts) => {
        const parser = new SseParser();
        const places = [0, ...cuts.sort((a, b) => a - b), TEXT.length];
        const events = places.slice(1).flatMap((end, index) => parser.push(TEXT.slice(places[index], end)));
        expect(events).toEqual(EVENTS);
      }),
    );
  });

  test('what never ends is given up', () => {
    const parser = new SseParser();
    const chunk = 'x'.repeat(2 ** 20);
    expect(() => {
      for (let chunks = 0; chunks < 32; chunks++) parser.push(chunk);
    }).toThrow(RangeError);
  });

  test('many short events may be more than one long one', () => {
    const parser = new SseParser();
    const chunk = `data: ${'x'.repeat(2 ** 20)}\n\n`;
    for (let chunks = 0; chunks < 32; chunks++) expect(parser.push(chunk)).toHaveLength(1);
  });
});

/** A server whose connections are what a test says: the text of each, or that there is none. */
function scripted(...connections: (string | HeadgateError)[]): EventSource {
  return {
    url: 'http://gate',
    subscribe: () => {
      const next = connections.shift();
      if (next === undefined) return new Promise(() => undefined);
      return next instanceof HeadgateError
        ? Promise.reject(next)
        : Promise.resolve(new Blob([next]).stream());
    },
  };
}

/** The first `count` items that are told. */
async function told(source: EventSource, count: number): Promise<Followed[]> {
  const stop = new AbortController();
  const items: Followed[] = [];
  for await (const item of follow(source, { interval: 'never', signal: stop.signal, retryMs: 1 })) {
    items.push(item);
    if (items.length === count) stop.abort();
  }
  return items;
}

const away = new HeadgateError('HG_API', 'not there');

describe('following', () => {
  test('a lost connection is told, and tried until the server is back', async () => {
    const items = await told(scripted('data: 1\n\n', away, away, 'data: 2\n\n'), 7);
    expect(items.map((item) => (item.kind === 'event' ? item.data : item.kind))).toEqual([
      'open',
      '1',
      'lost',
      'lost',
      'lost',
      'open',
      '2',
    ]);
    const pauses = items.flatMap((item) => (item.kind === 'lost' ? [item.retryMs] : []));
    expect(pauses).toEqual([1, 2, 4]);
  });

  test('pauses begin anew after a success', async () => {
    const items = await told(scripted('', away, '', away), 6);
    const pauses = items.flatMap((item) => (item.kind === 'lost' ? [item.retryMs] : []));
    expect(pauses).toEqual([1, 2, 1, 2]);
  });

  test('a server that is not there to begin with is an error', async () => {
    await expect(told(scripted(away), 1)).rejects.toBe(away);
  });

  test('a patient listener waits for it, too', async () => {
    const stop = new AbortController();
    const items = follow(scripted(away, ''), {
      interval: 'never',
      signal: stop.signal,
      retryMs: 1,
      patient: true,
    });
    expect((await items.next()).value).toMatchObject({ kind: 'lost', why: away });
    expect((await items.next()).value).toEqual({ kind: 'open' });
    stop.abort();
    expect((await items.next()).done).toBe(true);
  });

  test('ends at once when it is told to, in the middle of a pause', async () => {
    const stop = new AbortController();
    const items = follow(scripted(''), { interval: 'never', signal: stop.signal, retryMs: 3_600_000 });
    expect((await items.next()).value).toEqual({ kind: 'open' });
    expect((await items.next()).value).toMatchObject({ kind: 'lost' });
    const end = items.next();
    stop.abort();
    expect(await end).toEqual({ done: true, value: undefined });
  });
});
