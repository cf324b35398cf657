import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { METRICS } from '../../../src/telemetry/metrics.ts';
import { everySeries } from '../../support/metrics-reading.ts';
import { strangersIn } from '../../support/promql.ts';
import { checkExpressions } from '../../support/promtool.ts';

/** The Grafana dashboard that is shipped: it loads, its expressions parse, and they ask for what there is. */

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr?: string }[] };
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
}

const file = new URL('../../../config/grafana/headgate.json', import.meta.url);
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as Dashboard;
const shown = dashboard.panels.filter(({ type }) => type !== 'row');
const targets = shown.flatMap((panel) => (panel.targets ?? []).map((target) => ({ panel, target })));

/** As Prometheus gets it when all nodes are chosen. */
function asSent(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '1h')
    .replaceAll(/\$(job|instance)/g, '.*');
}

const expressions = [
  ...targets.map(({ target }) => target.expr),
  ...dashboard.annotations.list.flatMap(({ expr }) => (expr === undefined ? [] : [expr])),
].map(asSent);

test('it has a row for each thing an operator looks at', () => {
  const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  expect(rows).toEqual(['Node', 'Gate and resources', 'Streams', 'Denials', 'Shedding', 'SRT']);
});

test('it works with any data source, job and node: they are variables', () => {
  expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
    ['datasource', 'datasource'],
    ['job', 'query'],
    ['instance', 'query'],
  ]);
  for (const { target } of targets) {
    expect(target.datasource).toEqual({
      type: 'prometheus',
      uid: expect.stringMatching(/^\$\{datasource\}$/),
    });
    const selectors = target.expr.match(/\b(headgate|process|nodejs)_\w+/g) ?? [];
    expect(target.expr.match(/\{job=~"\$job", instance=~"\$instance"[,}]/g)).toHaveLength(selectors.length);
  }
});

test('every expression parses', () => {
  expect(expressions.length).toBeGreaterThan(40);
  const { status, said } = checkExpressions(expressions);
  expect(said).toMatch(/SUCCESS/);
  expect(status).toBe(0);
});

test('every expression asks for series that a server tells, by labels that they have', async () => {
  const series = await everySeries();
  // Node tells these when it first collects garbage.
  const gc = { name: 'nodejs_gc_duration_seconds_sum', labels: { kind: 'minor' }, value: 0 };
  expect(expressions.flatMap((expr) => strangersIn(expr, [...series, gc]))).toEqual([]);
});

test('a legend names only labels that its expression keeps', async () => {
  const series = await everySeries();
  for (const { target } of targets) {
    const named = [...target.legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
    const kept = /\bby \(([^)]*)\)/.exec(target.expr)?.[1]?.split(', ');
    const name = /\b(?:headgate|process|nodejs)_\w+/.exec(target.expr)?.[0];
    const own = series.find((each) => each.name === name)?.labels ?? {};
    for (const label of named) expect(kept ?? [...Object.keys(own), 'instance']).toContain(label);
  }
});

test('nothing that the server counts is left out but what says nothing over time', () => {
  const all = expressions.join('\n');
  const missing = METRICS.map(({ name }) => name).filter((name) => !all.includes(name));
  expect(missing).toEqual([
    'headgate_reserved_cpu',
    'headgate_reserved_memory_bytes',
    'headgate_reserved_bandwidth_bps',
    'headgate_gop_evictions_total',
    'headgate_pending_bytes',
    'headgate_audit_log_rotations_total',
    'headgate_build_info',
  ]);
});

test('panels have a unit, a title of their own, and lie beside one another', () => {
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length);
  for (const panel of shown) {
    expect(panel.type === 'state-timeline' || panel.fieldConfig?.defaults.unit !== undefined).toBe(true);
    expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
    for (const other of shown) {
      if (other === panel) continue;
      const [a, b] = [panel.gridPos, other.gridPos];
      const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
      expect(apart, `${panel.title} lies on ${other.title}`).toBe(true);
    }
  }
});
