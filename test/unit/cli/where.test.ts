import { expect, test } from 'vitest';
import { whereWords } from '../../../src/cli/commands/serve.ts';

const OFF = { rtmp: null, rtmps: null, srt: null, playback: null, admin: null };
const at = (host: string, port: number) => ({ host, port });

test.each([
  [
    { ...OFF, rtmp: at('0.0.0.0', 1935), srt: [at('0.0.0.0', 8890)], admin: at('127.0.0.1', 8080) },
    'publish to rtmp://localhost:1935/live/NAME; the dashboard is at http://127.0.0.1:8080/',
  ],
  [{ ...OFF, rtmps: at('::1', 1936) }, 'publish to rtmps://[::1]:1936/live/NAME'],
  [
    { ...OFF, srt: [at('::', 8890)], admin: at('::', 8080) },
    'publish to srt://localhost:8890?streamid=#!::r=live/NAME,m=publish; the dashboard is at http://localhost:8080/',
  ],
  [OFF, 'nothing can be published: no listener is on'],
])('%#: where to publish and where to look', (listening, words) => {
  expect(whereWords(listening)).toBe(words);
});
