import type { Series } from './promtool.ts';

/**
 * As much of PromQL as it takes to see which series an expression asks for. Whether it parses is promtool's business;
 * whether what it names exists is not, and a dashboard of empty panels parses well.
 */

interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

interface Selector {
  readonly name: string;
  readonly matchers: readonly Matcher[];
}

/** What a scrape adds to every series. */
const TARGET_LABELS = ['job', 'instance'];

/** Of Prometheus itself: 1 for a target that answered. */
const UP: Series = { name: 'up', labels: { job: 'headgate' }, value: 1 };

const METRIC = /\b((?:headgate|process|nodejs)_\w+|up)\b(?:\{([^}]*)\})?/g;
const MATCHER = /(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g;
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;

function selectorsOf(expression: string): Selector[] {
  return [...expression.matchAll(METRIC)].map(([, name = '', inside = '']) => ({
    name,
    matchers: [...inside.matchAll(MATCHER)].map(([, label = '', operator = '', value = '']) => ({
      label,
      operator,
      value,
    })),
  }));
}

function satisfies(series: Series, { label, operator, value }: Matcher): boolean {
  const actual = series.labels[label] ?? '';
  const pattern = operator.endsWith('~') ? new RegExp(`^(?:${value})$`) : null;
  const same = pattern === null ? actual === value : pattern.test(actual);
  return operator.startsWith('!') ? !same : same;
}

/** What is wrong with the names in an expression, measured by a scrape that has every series. */
export function strangersIn(expression: string, scraped: readonly Series[]): string[] {
  const known = [...scraped, UP];
  const problems: string[] = [];
  const selectors = selectorsOf(expression);
  if (selectors.length === 0) problems.push(`asks for no metric: ${expression}`);
  for (const { name, matchers } of selectors) {
    const series = known.filter((each) => each.name === name);
    const own = matchers.filter(({ label }) => !TARGET_LABELS.includes(label));
    if (series.length === 0) problems.push(`there is no ${name}`);
    for (const { label } of own) {
      if (!series.some(({ labels }) => label in labels)) problems.push(`${name} has no label ${label}`);
    }
    if (!series.some((each) => own.every((matcher) => satisfies(each, matcher))))
      problems.push(`nothing matches ${name} in: ${expression}`);
  }
  const labels = new Set(known.flatMap((each) => Object.keys(each.labels)).concat(TARGET_LABELS));
  for (const [, list = ''] of expression.matchAll(GROUPING)) {
    for (const label of list.split(',').map((word) => word.trim())) {
      const has = ({ name }: Selector) =>
        TARGET_LABELS.includes(label) || known.some((each) => each.name === name && label in each.labels);
      if (label !== '' && (!labels.has(label) || !selectors.some(has)))
        problems.push(`nothing has the label ${label} in: ${expression}`);
    }
  }
  return problems;
}
