import { VERSION } from '../version.ts';
import type { AdminPort } from './ports.ts';
import { createAdminServer } from './server.ts';

/** What the routes ask when they are declared; nobody asks them anything here. */
const ABOUT = { name: 'headgate', version: VERSION, node_id: 'ingest-1', started_at: '' } as const;
const PORT = { server: { about: () => ABOUT } } as unknown as AdminPort;

/** The OpenAPI document as it stands in docs/openapi.json. */
export async function openApiText(): Promise<string> {
  const server = await createAdminServer(PORT, {
    tokens: () => [],
    rateLimit: () => ({ requests: { count: 1, periodMs: 1_000 }, burst: 1, xHeaders: false }),
    metrics: { contentType: 'text/plain', scrape: async () => '' },
    log: { error: () => undefined },
  });
  const text = `${JSON.stringify(server.openApi(), null, 2)}\n`;
  await server.close();
  return text;
}
