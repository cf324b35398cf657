import { RESOURCES } from '../core/pressure/resources.ts';
import type { Finding } from './problem.ts';
import { isRecord } from './settings.ts';
import { nodeAtPath, type Path } from './tree.ts';

/**
 * Keys of one section of which one must not be above the other. A file that
 * sets one of the two is held against the default of the other. Like
 * `crossCheck` it works on values as written and skips what is malformed.
 */

interface Order {
  readonly section: readonly string[];
  readonly low: string;
  readonly high: string;
  /** the two may be equal */
  readonly equal: boolean;
}

const ORDERS: readonly Order[] = [
  ...RESOURCES.map((resource) => ({
    section: ['resources', resource],
    low: 'degrade',
    high: 'close',
    equal: false,
  })),
  { section: ['adaptive'], low: 'min', high: 'max', equal: true },
  { section: ['backpressure', 'backoff'], low: 'min', high: 'max', equal: true },
];

interface Side {
  readonly path: Path;
  /** in words of the config */
  readonly text: string;
  /** in base units */
  readonly value: number;
  readonly written: boolean;
}

function sideOf(section: Readonly<Record<string, unknown>>, at: Order['section'], key: string): Side | null {
  const path = [...at, key];
  const node = nodeAtPath(path);
  if (node?.type !== 'leaf') return null;
  const written = key in section;
  const text = written ? section[key] : node.fallback;
  const read = node.kind.read(text);
  return read.ok && typeof read.value === 'number'
    ? { path, text: String(text), value: read.value, written }
    : null;
}

function sectionAt(root: unknown, path: readonly string[]): Readonly<Record<string, unknown>> | null {
  let value = root;
  for (const step of path) value = isRecord(value) ? value[step] : undefined;
  return isRecord(value) ? value : null;
}

/** `value` is the config as written. Sections that are absent or off have nothing to say. */
export function checkOrder(value: unknown): Finding[] {
  const findings: Finding[] = [];
  for (const { section: at, low, high, equal } of ORDERS) {
    const section = sectionAt(value, at);
    const below = section && sideOf(section, at, low);
    const above = section && sideOf(section, at, high);
    if (!below || !above) continue;
    if (below.value < above.value || (equal && below.value === above.value)) continue;
    const [blamed, other, wrong] = below.written
      ? [below, above, equal ? 'is above' : 'is not below']
      : [above, below, equal ? 'is below' : 'is not above'];
    const byDefault = other.written ? '' : ', the default';
    const name = other.path.at(-1);
    findings.push({
      path: blamed.path,
      message: `${blamed.text} ${wrong} ${name} (${other.text}${byDefault})`,
    });
  }
  return findings;
}
