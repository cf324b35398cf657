import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PROMTOOL_BY_HAND, promtoolPath } from '../../scripts/test-programs.js';

/** Prometheus' own judge of metrics, rules and configurations. */

export interface Judgement {
  /** 0: nothing to complain about */
  readonly status: number | null;
  readonly said: string;
}

export function promtool(args: readonly string[], input = ''): Judgement {
  const program = promtoolPath();
  if (program === null) throw new Error(`promtool is missing: ${PROMTOOL_BY_HAND}`);
  const run = spawnSync(program, args, { input, encoding: 'utf8' });
  return { status: run.status, said: run.stdout + run.stderr };
}

/** What `promtool check rules` says of expressions: each becomes a recording rule. */
export function checkExpressions(expressions: readonly string[]): Judgement {
  const folder = mkdtempSync(path.join(tmpdir(), 'headgate-promtool-'));
  try {
    const file = path.join(folder, 'expressions.yml');
    // JSON is YAML.
    const rules = expressions.map((expr, index) => ({ record: `expression:${index}`, expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'expressions', rules }] }));
    return promtool(['check', 'rules', file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Names and labels of one time series each. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The series of a scrape, comments left out. */
export function seriesOf(text: string): Series[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', inside = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [
        label,
        text,
      ]);
      return { name, labels: Object.fromEntries(pairs), value: Number(value.replace('Inf', 'Infinity')) };
    });
}
