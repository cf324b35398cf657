import { describe, expect, it } from 'vitest';
import { loadText } from '../../../src/config/load.ts';
import { maskedConfig } from '../../../src/config/mask.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { type Config, defaultConfig } from '../../../src/config/schema.ts';

const HASH = `sha256:${'0f'.repeat(32)}`;

function load(text: string): { config: Config | null; problems: string[]; warnings: string[] } {
  const result = loadText(text, 'f.yaml', {});
  return result.ok
    ? { config: result.config, problems: [], warnings: result.warnings.map(formatProblem) }
    : { config: null, problems: result.problems.map(formatProblem), warnings: [] };
}

const tokens = (entry: string): string => `admin:\n  tokens:\n    - ${entry}\n`;

describe('admin.tokens', () => {
  it('takes a hash with a name in place of the token', () => {
    const { config, warnings } = load(tokens(`{ hash: "${HASH}", role: operator, name: alice }`));
    expect(config?.admin.tokens).toEqual([{ hash: HASH, role: 'operator', name: 'alice' }]);
    expect(warnings).toEqual([]);
  });

  it('shows neither token nor hash', () => {
    const { config } = load(`${tokens(`{ hash: "${HASH}" }`)}    - { token: a-long-enough-secret }\n`);
    const shown = JSON.stringify(maskedConfig(config!)['admin']);
    expect(shown).toContain('{"hash":"***","role":"viewer"},{"token":"***","role":"viewer"}');
  });

  it.each([
    ['{ role: viewer }', 'f.yaml:3:7 admin.tokens[0]: has neither token nor hash'],
    [`{ token: a-long-enough-secret, hash: "${HASH}" }`, 'f.yaml:3:7 admin.tokens[0]: has token and hash'],
    [
      '{ hash: "sha256:SECRET" }',
      'f.yaml:3:15 admin.tokens[0].hash: the value must be sha256: and 64 hex digits',
    ],
    [`{ hash: "md5:${'0f'.repeat(32)}" }`, 'f.yaml:3:15 admin.tokens[0].hash: the value must be sha256:'],
    ['{ token: t, name: "a b" }', 'f.yaml:3:25 admin.tokens[0].name: "a b" must be 1 to 128 letters'],
    ['{ token: t, nam: x }', 'did you mean name?'],
    [
      `{ hash: "${HASH}" }\n    - { hash: "${HASH}" }`,
      'f.yaml:4:15 admin.tokens[1].hash: this is the hash of admin.tokens[0] already',
    ],
    ['{ token: t, name: x }\n    - { token: u, name: x }', 'admin.tokens[1].name: "x" is the name of'],
  ])('refuses %s and says where', (entry, problem) => {
    const { problems } = load(tokens(entry));
    expect(problems.join('\n')).toContain(problem);
    expect(problems.join('\n')).not.toMatch(/SECRET|0f0f/);
  });

  it('warns of a short token, without quoting it', () => {
    const { warnings } = load(tokens('{ token: hunter2 }'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^f\.yaml:3:16 admin\.tokens\[0\]\.token: is shorter than 16 characters; headgate token/,
    );
    expect(warnings[0]).not.toContain('hunter2');
  });
});

describe('admin.rate_limit', () => {
  it('has a default, and can be lifted', () => {
    expect(defaultConfig().admin).toMatchObject({
      rate_limit: { requests: { count: 50, periodMs: 1_000 }, burst: 100 },
      x_ratelimit: false,
    });
    expect(
      load('admin: { rate_limit: { requests: unlimited } }').config?.admin.rate_limit.requests.count,
    ).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['requests: 50', '50 has no unit'],
    ['requests: 0/s', 'would let nothing through'],
    ['burst: 0', 'out of range'],
    ['burst: 1.5', 'not a whole number'],
  ])('refuses %s', (text, problem) => {
    expect(load(`admin: { rate_limit: { ${text} } }`).problems.join('\n')).toContain(problem);
  });
});
