import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configJsonSchema } from '../../../src/config/json-schema.ts';
import { loadConfig, loadText } from '../../../src/config/load.ts';
import { configOptionsSource } from '../../../src/config/options-source.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { type Config, defaultConfig } from '../../../src/config/schema.ts';
import { CONFIG_TREE, type SchemaNode } from '../../../src/config/tree.ts';

const folder = fileURLToPath(new URL('../../../config', import.meta.url));
const shipped = join(folder, 'headgate.yaml');
const examples = readdirSync(join(folder, 'examples')).map((name) => join(folder, 'examples', name));

function load(file: string): { config: Config; warnings: string[]; origins: ReadonlyMap<string, string> } {
  const result = loadConfig(file, {});
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return {
    config: result.config,
    warnings: result.warnings.map(formatProblem),
    origins: result.source.origins,
  };
}

/** Every key name of the schema, those below lists and maps included. */
function keyNames(node: SchemaNode): string[] {
  if (node.type === 'list') return keyNames(node.item);
  if (node.type === 'named') return keyNames(node.value);
  return node.type === 'section' ? [...node.keys].flatMap(([key, inner]) => [key, ...keyNames(inner)]) : [];
}

describe('config/headgate.yaml', () => {
  it('equals the defaults, without a warning', () => {
    const { config, warnings } = load(shipped);
    expect(config).toEqual(defaultConfig());
    expect(warnings).toEqual([]);
  });

  it('sets every key that can be set', () => {
    const left = [...load(shipped).origins].filter(([, origin]) => origin === 'default');
    expect(left).toEqual([]);
  });

  it('shows every key of the schema, in samples where lists are empty', () => {
    const text = readFileSync(shipped, 'utf8');
    const missing = keyNames(CONFIG_TREE).filter((key) => !new RegExp(`\\b${key}:`).test(text));
    expect(missing).toEqual([]);
  });

  it('has samples that are valid', () => {
    // "# clients:" and what is indented below it takes the place of "clients: []".
    const samples = readFileSync(shipped, 'utf8')
      .split('\n')
      .filter((line) => /^# (clients:|tiers:|policies:| {2})/.test(line))
      .filter((line) => !/^# {3}(bitrates|sizes|rates|no limit)/.test(line))
      .map((line) => line.slice(2));
    const result = loadText(`auth: { mode: keys }\n${samples.join('\n')}`, null, {});
    expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([]);
    expect(result.ok && [result.config.clients.length, result.config.policies.length]).toEqual([1, 1]);
  });

  it('names its schema for editors', () => {
    expect(readFileSync(shipped, 'utf8').split('\n')[0]).toBe(
      '# yaml-language-server: $schema=./schema.json',
    );
  });
});

describe('config/examples', () => {
  it('has some', () => expect(examples.length).toBeGreaterThanOrEqual(3));

  it.each(examples)('%s is valid, without a warning', (file) => {
    expect(load(file).warnings).toEqual([]);
  });
});

it('src/config/options.ts is what `node src/config/generate.ts` writes', () => {
  expect(readFileSync(join(folder, '../src/config/options.ts'), 'utf8')).toBe(configOptionsSource());
});

describe('config/schema.json', () => {
  it('is what `node src/config/generate.ts` writes', () => {
    expect(readFileSync(join(folder, 'schema.json'), 'utf8')).toBe(
      `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
    );
  });

  it('describes and gives the default of every limit', () => {
    const schema = JSON.parse(readFileSync(join(folder, 'schema.json'), 'utf8'));
    const limit = schema.properties.limits.anyOf[0].properties.stream.anyOf[0].properties.max_bitrate;
    expect(limit).toMatchObject({ default: '6Mbps', description: expect.stringContaining('bitrate') });
    expect(new RegExp(limit.anyOf[0].pattern).test('6Mbps')).toBe(true);
    expect(limit.anyOf[1]).toEqual({ const: 'unlimited' });
  });
});
