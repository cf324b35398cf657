import { expect, test } from 'vitest';
import { type EventsOptions, runEvents } from '../../../src/cli/commands/events.ts';
import type { Context } from '../../../src/cli/context.ts';
import { CapturedTerminal } from './capture.ts';

const act = (id: string, at: string) => ({
  id,
  at,
  action: 'kick',
  by: 'ops',
  target: null,
  result: 'ok',
  detail: id,
});

test('what is heard live is shown also after the clock of the server was set back', async () => {
  const stop = new AbortController();
  const listed = { kind: 'audit', action: act('a-1', '2026-11-20T21:40:00.000Z') };
  const live = [
    act('a-1', '2026-11-20T21:40:00.000Z'),
    act('a-2', '2026-11-20T20:00:00.000Z'),
    act('a-2', '2026-11-20T20:00:00.000Z'),
  ];
  const text = live.map((each) => `event: audit\ndata: ${JSON.stringify(each)}\n\n`).join('');
  let subscribed = 0;
  const api = {
    url: 'http://gate',
    get: async () => ({ events: [listed], next_cursor: null }),
    subscribe: async () => {
      if (subscribed++ === 0) return new Blob([text]).stream();
      stop.abort();
      throw new Error('gone');
    },
  };
  const terminal = new CapturedTerminal();
  const any = { reason: undefined, action: undefined, key: undefined, since: undefined };
  const options: EventsOptions = {
    ...any,
    limit: 10,
    json: true,
    follow: true,
    interrupted: () => stop.signal,
  };
  await runEvents(options, { api, terminal } as unknown as Context);
  const ids = terminal.out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).action.id);
  expect(ids).toEqual(['a-1', 'a-2']);
});
