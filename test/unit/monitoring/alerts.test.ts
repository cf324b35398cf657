import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { everySeries } from '../../support/metrics-reading.ts';
import { strangersIn } from '../../support/promql.ts';
import { type Judgement, promtool } from '../../support/promtool.ts';
import { ALERT_CASES, type AlertCase } from './alert-cases.ts';

/** The alert rules that are shipped, judged by Prometheus' own tools. */

const FOLDER = path.resolve(import.meta.dirname, '../../../config/prometheus');
const RULES_FILE = path.join(FOLDER, 'headgate.rules.yml');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const rules = (parse(readFileSync(RULES_FILE, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

const scratch = mkdtempSync(path.join(tmpdir(), 'headgate-alerts-'));
afterAll(() => rmSync(scratch, { recursive: true }));

test('promtool finds the rules right, and the example that loads them', () => {
  expect(promtool(['check', 'rules', RULES_FILE])).toMatchObject({ status: 0 });
  const example = promtool(['check', 'config', '--syntax-only', path.join(FOLDER, 'prometheus.yml')]);
  expect(example.said).toMatch(/SUCCESS/);
  expect(example.status).toBe(0);
});

test.each(rules)('$alert says how bad it is, what happened and what to do', ({ labels, annotations }) => {
  expect(['critical', 'warning', 'info']).toContain(labels.severity);
  expect(Object.keys(annotations)).toEqual(['summary', 'description', 'action']);
  expect(annotations['summary']).toContain('{{ $labels.instance }}');
});

test('they ask for nothing that the server does not tell', async () => {
  const series = await everySeries();
  expect(rules.flatMap(({ expr }) => strangersIn(expr, series))).toEqual([]);
});

test('docs/monitoring.md lists every alert, and no other', () => {
  const document = readFileSync(path.resolve(FOLDER, '../../docs/monitoring.md'), 'utf8');
  const listed = [...document.matchAll(/^\| `(Headgate\w+)` \|/gm)].map(([, alert]) => alert);
  expect(listed).toEqual(rules.map(({ alert }) => alert));
});

test('there is a case for every alert', () => {
  expect(ALERT_CASES.map(({ alert }) => alert).sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

/** Every series of a case with the labels of a scrape. */
function input(series: Readonly<Record<string, string>>): { series: string; values: string }[] {
  return Object.entries(series).map(([selector, values]) => {
    const [, name, own = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(selector) ?? [];
    const labels = ['job="headgate"', 'instance="a:8080"', ...(own === '' ? [] : [own])];
    return { series: `${name}{${labels.join(',')}}`, values };
  });
}

function expand(text: string, labels: Readonly<Record<string, string>>, value = ''): string {
  return text
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '')
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, value);
}

/** Runs one promtool test at minute 29, when the last samples are in. */
function judge(
  { alert, labels = {}, value }: AlertCase,
  series: Readonly<Record<string, string>>,
  fires: boolean,
): Judgement {
  const rule = rules.find((each) => each.alert === alert)!;
  const target = { job: 'headgate', instance: 'a:8080', ...labels };
  const annotations = Object.entries(rule.annotations).map(([name, text]) => [
    name,
    expand(text, target, value),
  ]);
  const firing = {
    exp_labels: { ...rule.labels, ...target },
    exp_annotations: Object.fromEntries(annotations),
  };
  const file = path.join(scratch, `${alert}.yml`);
  const tests = [
    {
      interval: '1m',
      input_series: input(series),
      alert_rule_test: [{ eval_time: '29m', alertname: alert, exp_alerts: fires ? [firing] : [] }],
    },
  ];
  writeFileSync(file, JSON.stringify({ rule_files: [RULES_FILE], evaluation_interval: '1m', tests }));
  return promtool(['test', 'rules', file]);
}

test.each(ALERT_CASES)('$alert fires when it should, and its texts are whole', (each) => {
  const { status, said } = judge(each, each.fires, true);
  expect(said).toMatch(/SUCCESS/);
  expect(status).toBe(0);
});

test.each(ALERT_CASES)('$alert stays quiet when it should', (each) => {
  for (const series of each.quiet) {
    const { status, said } = judge(each, series, false);
    expect(said).toMatch(/SUCCESS/);
    expect(status).toBe(0);
  }
});
