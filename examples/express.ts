/**
 * Rate limits on an Express application.
 *
 *     node examples/express.ts
 *     curl -i http://127.0.0.1:3000/
 */
import express from 'express';
import { rateLimit } from 'headgate/express';

const app = express();

// Behind a proxy of one's own: it alone is believed about where a request comes from.
app.use(
  rateLimit({
    limit: 100,
    period: '1m',
    burst: 10,
    trustedProxies: ['127.0.0.1'],
    skip: (request) => request.url === '/healthz',
  }),
);
app.get('/', (_request, response) => {
  response.json({ hello: 'world' });
});
app.get('/healthz', (_request, response) => {
  response.send('ok');
});

// A limit of its own for what is dear, by user.
const byUser = rateLimit<express.Request>({
  name: 'search',
  limit: 3,
  period: '1m',
  algorithm: 'token-bucket',
  key: (request) => request.get('x-user') ?? `nobody at ${request.ip}`,
});
app.get('/search', byUser, (_request, response) => {
  response.json({ found: [] });
});

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') console.log(`listening on http://127.0.0.1:${address?.port}`);
});
process.once('SIGTERM', () => server.close());
