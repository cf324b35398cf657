import { expect, test } from 'vitest';
import { run } from '../../../src/cli/program.ts';
import { loadText } from '../../../src/config/load.ts';
import { isDrawnToken, tokenHash } from '../../../src/http/token-hash.ts';
import { CapturedTerminal } from './capture.ts';

async function token(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = new CapturedTerminal();
  const code = await run(['token', ...args], terminal);
  return { code, out: terminal.out, err: terminal.err };
}

test('the token stands on a line of its own, and the line for the config lets it in by its hash', async () => {
  const { code, out } = await token('--role', 'operator', '--name', 'alice');
  expect(code).toBe(0);
  const lines = out.split('\n');
  const secret = lines.find(isDrawnToken)!;
  const entry = lines.find((line) => line.includes('hash:'))!;
  expect(entry).not.toContain(secret);
  const loaded = loadText(`admin:\n  tokens:\n${entry}\n`, 'f.yaml', {});
  expect(loaded.ok && loaded.config.admin.tokens).toEqual([
    { hash: tokenHash(secret), role: 'operator', name: 'alice' },
  ]);
});

test('without options it is of a viewer without a name', async () => {
  const { out } = await token('--json');
  const told = JSON.parse(out);
  expect(told).toMatchObject({ role: 'viewer', name: null, hash: tokenHash(told.token) });
});

test('no two are the same', async () => {
  const drawn = await Promise.all(Array.from({ length: 5 }, () => token('--json')));
  expect(new Set(drawn.map(({ out }) => JSON.parse(out).token)).size).toBe(5);
});

test.each([
  [['--role', 'admin'], 'viewer, operator'],
  [['--name', 'a b'], 'letters'],
  [['--name', ''], 'letters'],
])('%j is refused with what it could be', async (args, hint) => {
  const { code, err, out } = await token(...args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(hint);
});
