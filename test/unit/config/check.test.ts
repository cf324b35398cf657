import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCheck } from '../../../src/cli/commands/check.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(
  text: string | null,
  env: Record<string, string> = {},
): { code: number; out: string[]; err: string[] } {
  const file = text === null ? null : join(folder, 'c.yaml');
  if (file !== null) writeFileSync(file, text ?? '');
  const out: string[] = [];
  const err: string[] = [];
  const code = runCheck({
    file,
    json: false,
    terminal: {
      env,
      isTty: false,
      stdout: { write: (line: string) => out.push(line) },
      stderr: { write: (line: string) => err.push(line) },
    },
  });
  return { code, out, err };
}

it('prints every error and exits with 2', () => {
  const { code, out, err } = check('limits: { stream: { max_fps: 60 } }\nlimts: {}\n');
  expect(code).toBe(2);
  expect(out).toEqual([]);
  expect(err).toEqual([
    `${folder}/c.yaml:1:30 limits.stream.max_fps: 60 has no unit; did you mean 60fps?\n`,
    `${folder}/c.yaml:2:1 limts: is not a known key; did you mean limits?\n`,
  ]);
});

it('prints the effective limits with where they came from and exits with 0', () => {
  const { code, out, err } = check('limits: { stream: { max_fps: 30fps } }\n', {
    HEADGATE_LIMITS__STREAM__MAX_BITRATE: '4Mbps',
  });
  expect(code).toBe(0);
  expect(err).toEqual([]);
  const lines = out.map((line) => line.trim().replace(/ {2,}/g, '  '));
  expect(lines).toContain(`limits.stream.max_fps  30fps  (${folder}/c.yaml:1)`);
  expect(lines).toContain('limits.stream.max_bitrate  4Mbps  (env HEADGATE_LIMITS__STREAM__MAX_BITRATE)');
  expect(lines).toContain('limits.stream.on_exceed  throttle  (default)');
});

it('prints warnings beside a valid config', () => {
  const { code, err } = check('auth: { mode: keys }');
  expect(code).toBe(0);
  expect(err).toEqual([
    `warning: ${folder}/c.yaml:1:15 auth.mode: is keys, but no client has a key: nobody can publish\n`,
  ]);
});

it('checks the environment alone', () => {
  expect(check(null).code).toBe(0);
  expect(check(null, { HEADGATE_LIMITS__STREAM__MAX_FPS: '60' }).err).toEqual([
    'HEADGATE_LIMITS__STREAM__MAX_FPS limits.stream.max_fps: 60 has no unit; did you mean 60fps?\n',
  ]);
});
