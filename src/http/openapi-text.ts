import type { AdminPort } from './ports.ts';
import { createAdminServer } from './server.ts';

/** The OpenAPI document of a version, as it stands in docs/openapi.json. */
export async function openApiText(version: string): Promise<string> {
  const about = { name: 'headgate', version, node_id: 'ingest-1', started_at: '' };
  // Routes are declared here and none is asked: this is all that is looked at meanwhile.
  const port = { server: { about: () => about } } as unknown as AdminPort;
  const server = await createAdminServer(port, {
    tokens: () => [],
    rateLimit: () => ({ requests: { count: 1, periodMs: 1_000 }, burst: 1, xHeaders: false }),
    metrics: { contentType: 'text/plain', scrape: async () => '' },
    log: { error: () => undefined },
  });
  const text = `${JSON.stringify(server.openApi(), null, 2)}\n`;
  await server.close();
  return text;
}
