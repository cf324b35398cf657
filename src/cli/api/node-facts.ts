import type { Readiness, ResourcesSnapshot } from '../../http/ports.ts';
import type { TopMoment } from '../top/moment.ts';
import type { ApiClient } from './client.ts';

/** What `top` says about the node beside its streams. */
export type NodeFacts = Pick<TopMoment, 'node' | 'ready' | 'reasons' | 'machine' | 'configError' | 'denied'>;

/** Asks the server about itself. Throws what `ApiClient` throws. */
export async function nodeFacts(api: ApiClient): Promise<NodeFacts> {
  const [readiness, resources, metrics] = await Promise.all([
    api.getEvenIfUnavailable<Readiness>('/readyz', 'ready'),
    api.get<ResourcesSnapshot>('/api/v1/resources', 'resources'),
    api.getText('/metrics', 'text/plain'),
  ]);
  const build = samplesOf(metrics, 'headgate_build_info')[0]?.labels ?? {};
  const denied = samplesOf(metrics, 'headgate_denied_total').map(({ labels, value }) => [
    labels['reason'] ?? '',
    value,
  ]);
  return {
    node: { id: build['node'] ?? '', version: build['version'] ?? '', uptimeMs: resources.process.uptime_ms },
    ready: readiness.ready,
    reasons: readiness.reasons,
    machine: resources,
    configError: readiness.config_error,
    denied: Object.fromEntries(denied),
  };
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples of one metric in the Prometheus text format (exposition format 0.0.4). */
export function samplesOf(text: string, name: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => {
      const pairs = [...line.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)];
      return {
        labels: Object.fromEntries(
          pairs.map(([, label, value]) => [label!, value!.replace(/\\(.)/g, unescaped)]),
        ),
        value: Number(line.slice(line.lastIndexOf(' ') + 1)),
      };
    });
}

function unescaped(_pair: string, character: string): string {
  return character === 'n' ? '\n' : character;
}
