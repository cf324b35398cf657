import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadText } from '../../src/config/load.ts';
import { maskedConfig } from '../../src/config/mask.ts';
import { formatProblem } from '../../src/config/problem.ts';

/** Pieces of configs, right and wrong, in any order and indentation. */
const piece = fc.constantFrom(
  'limits:',
  'stream:',
  'max_fps: 60fps',
  'max_fps: 60',
  'clients:',
  '- id: a',
  'keys: [ k1, k2 ]',
  'tiers:',
  'pro:',
  '{',
  '}',
  '[',
  ']',
  '&a',
  '*a',
  '<<: *a',
  ': ',
  '- ',
  '"',
  "'",
  '\t',
  '|',
  '>',
  '#',
  '? ',
  '---',
  '!x',
  '%YAML',
  'null',
  'listen: { rtmp: 1935 }',
  'deny: [ 10.0.0.0/8 ]',
  '\\',
  '\u0000',
  '\uFEFF',
  '\u2028',
  '__proto__: 1',
  'constructor: 1',
);
const text = fc
  .array(fc.tuple(fc.constantFrom('', '  ', '    '), fc.oneof(piece, fc.string({ maxLength: 8 }))), {
    maxLength: 12,
  })
  .map((lines) => lines.map(([indent, content]) => indent + content).join('\n'));

const variable = fc
  .array(
    fc.constantFrom('LIMITS', 'STREAM', 'MAX_FPS', 'CLIENTS', '0', '1', 'TIERS', 'ID', 'X', '__proto__', ''),
    { maxLength: 4 },
  )
  .map((parts) => `HEADGATE_${parts.join('__')}`);

describe('loading', () => {
  it('never throws, and says something on one line for every refusal', () => {
    fc.assert(
      fc.property(text, fc.dictionary(variable, fc.oneof(piece, fc.string())), (yaml, env) => {
        const result = loadText(yaml, 'f.yaml', env);
        if (result.ok) return;
        expect(result.problems.length).toBeGreaterThan(0);
        for (const problem of result.problems) {
          expect(formatProblem(problem)).toMatch(/^(f\.yaml:[0-9]+:[0-9]+ .+|HEADGATE_.*): [^\n\r]+$/);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('gives a config that, written out and loaded again, is the same', () => {
    const limits = fc.record(
      {
        max_bitrate: fc.oneof(
          fc.constant('unlimited'),
          fc.integer({ min: 1, max: 99_999 }).map((n) => `${n / 10}kbps`),
        ),
        max_fps: fc.integer({ min: 1, max: 24_000 }).map((n) => `${n / 100}fps`),
        max_packets_per_sec: fc
          .tuple(fc.integer({ min: 1, max: 9999 }), fc.constantFrom('s', 'min', 'h'))
          .map(([n, p]) => `${n}/${p}`),
        grace: fc.oneof(
          fc.constant('never'),
          fc.integer({ min: 0, max: 86_400 }).map((n) => `${n}s`),
        ),
        on_exceed: fc.constantFrom('observe', 'throttle', 'drop', 'disconnect'),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(limits, limits, (stream, policy) => {
        const written = { limits: { stream }, policies: [{ name: 'p', stream: policy }] };
        const first = loadText(JSON.stringify(written), null, {});
        if (!first.ok) throw new Error(first.problems.map(formatProblem).join('\n'));
        const second = loadText(JSON.stringify(maskedConfig(first.config)), null, {});
        expect(second.ok && second.config).toEqual(first.config);
      }),
      { numRuns: 200 },
    );
  });
});
