/**
 * Rate limits on a Fastify application.
 *
 *     node examples/fastify.ts
 *     curl -i http://127.0.0.1:3000/
 */
import Fastify from 'fastify';
import { rateLimit } from 'headgate/fastify';

const app = Fastify();

// For everything: a hundred requests a minute from one address, ten of them at once.
await app.register(rateLimit({ limit: 100, period: '1m', burst: 10 }));
app.get('/', async () => ({ hello: 'world' }));

// For one scope: by token, and a search costs more than a look.
await app.register(async (scope) => {
  await scope.register(
    rateLimit({
      name: 'search',
      limit: 6,
      period: '1m',
      algorithm: 'sliding-window',
      key: (request) => request.headers.authorization ?? `nobody at ${request.ip}`,
      cost: (request) => (request.method === 'POST' ? 3 : 1),
      legacyHeaders: true,
    }),
  );
  scope.get('/search', async () => ({ found: [] }));
  scope.post('/search', async () => ({ found: [] }));
});

const address = await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT'] ?? 3000) });
console.log(`listening on ${address}`);
process.once('SIGTERM', () => app.close());
