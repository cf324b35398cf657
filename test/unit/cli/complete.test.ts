import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SHELLS } from '../../../src/cli/completion/scripts.ts';
import { ON_EXCEED } from '../../../src/core/limits.ts';
import { REASONS } from '../../../src/core/reasons.ts';
import { type RunningApi, startApi } from '../../contract/http-fixture.ts';
import { CapturedTerminal, headgate } from './capture.ts';

let api: RunningApi;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api.server.close());

/** Values offered for the last word. */
async function offered(...words: string[]): Promise<string[]> {
  const terminal = new CapturedTerminal({ env: { HEADGATE_URL: api.url } });
  const { code, stdout, stderr } = await headgate(['__complete', '--', ...words], terminal);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0]!);
}

test('commands, with what they do', async () => {
  expect(await offered('st')).toEqual(['streams', 'stream']);
  const { stdout } = await headgate(['__complete', '--', 'kic']);
  expect(stdout).toBe('kick\tdisconnect a publisher\n');
});

test('options, long', async () => {
  expect(await offered('kick', '--')).toEqual([
    '--url',
    '--token',
    '--cooldown',
    '--reason',
    '--json',
    '--help',
  ]);
  expect(await offered('streams', '--st')).toEqual(['--state']);
});

describe('values', () => {
  test('of a fixed list', async () => {
    expect(await offered('events', '--reason', '')).toEqual([...REASONS]);
    expect(await offered('events', '--reason=stream_b')).toEqual(['--reason=stream_bitrate']);
    expect(await offered('token', '--role', 'op')).toEqual(['operator']);
    expect(await offered('backpressure', '')).toEqual(['auto', 'off', 'shed']);
    expect(await offered('completion', '')).toEqual([...SHELLS]);
  });

  test('of changes, one after the other', async () => {
    const modes = [...ON_EXCEED, 'config'].map((word) => `on_exceed=${word}`);
    expect(await offered('limit', 'cam1', 'max_fps=30fps', 'on_')).toEqual(modes);
    expect(await offered('limit', 'cam1', 'max_b')).toEqual(['max_bitrate=', 'max_bitrate=config']);
  });

  test('that are files are the business of the shell', async () => {
    expect(await offered('serve', '-c', '')).toEqual([':files']);
    expect(await offered('events', '--file', '/va')).toEqual([':files']);
  });

  test('that nobody can know are not guessed', async () => {
    expect(await offered('kick', 'cam1', '--reason', '')).toEqual([]);
  });
});

describe('live', () => {
  test('streams by path and id, clients, addresses', async () => {
    expect(await offered('stream', '')).toEqual(['/live/cam1', 's-1', '/live/cam2', 's-2']);
    expect(await offered('kick', '/live/cam2')).toEqual(['/live/cam2']);
    expect(await offered('clients', 'a')).toEqual(['alice']);
    expect(await offered('ips', '2001')).toEqual(['2001:db8::/64']);
    expect(await offered('why', 's-')).toEqual(['s-2', 's-1']);
  });

  test('the server of --url goes before that of the environment', async () => {
    expect(await offered('stream', '--url', 'http://127.0.0.1:1', '')).toEqual([]);
    expect(await offered('stream', '--url=http://127.0.0.1:1', '')).toEqual([]);
  });

  test.each(['http://127.0.0.1:1', 'ftp://x', 'http://['])(
    '%s: nothing is offered, nothing is said',
    async (url) => {
      const terminal = new CapturedTerminal({ env: { HEADGATE_URL: url } });
      expect(await headgate(['__complete', '--', 'stream', ''], terminal)).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
    },
  );

  test('a name that a shell would take apart is left out', async () => {
    api.fake.all = [{ ...api.fake.all[0]!, path: '/live/$(reboot)', client: 'a\tb\nc' }];
    expect(await offered('stream', '')).toEqual(['s-1']);
  });

  test('what a server says of a name cannot drive the terminal', async () => {
    api.fake.all = [{ ...api.fake.all[0]!, path: '/live/\u001b]0;x\u0007' }];
    const terminal = new CapturedTerminal({ env: { HEADGATE_URL: api.url } });
    const { stdout } = await headgate(['__complete', '--', 'stream', ''], terminal);
    expect(stdout).toBe('s-1\t/live/\\u001b]0;x\\u0007\n');
  });
});
