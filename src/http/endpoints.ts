/** Every endpoint in one line each: what programs get at `/`, and the list in `GET /api/v1`. */

interface Endpoint {
  method: string;
  path: string;
  summary: string;
}

export const ENDPOINTS: readonly Endpoint[] = [
  { method: 'GET', path: '/healthz', summary: 'the process lives' },
  { method: 'GET', path: '/readyz', summary: 'newcomers are let in, or why not' },
  { method: 'GET', path: '/metrics', summary: 'Prometheus' },
  { method: 'GET', path: '/api/v1', summary: 'who answers, who asks, and this list' },
  {
    method: 'GET',
    path: '/api/v1/streams',
    summary: 'live streams (?path= &client= &tier= &state= ... &limit= &cursor=)',
  },
  { method: 'GET', path: '/api/v1/streams/{id}', summary: 'one stream' },
  { method: 'DELETE', path: '/api/v1/streams/{id}', summary: 'disconnect it (?cooldown=30s &reason=)' },
  { method: 'PATCH', path: '/api/v1/streams/{id}/limits', summary: '{"max_bitrate":"4Mbps","for":"10m"}' },
  {
    method: 'GET',
    path: '/api/v1/streams/{id}/history',
    summary: 'its last five minutes, also for five minutes after its end',
  },
  { method: 'GET', path: '/api/v1/history', summary: 'the last five minutes of the server' },
  { method: 'GET', path: '/api/v1/clients[/{id}]', summary: 'clients' },
  { method: 'GET', path: '/api/v1/ips', summary: 'addresses' },
  { method: 'GET', path: '/api/v1/resources', summary: 'the machine, the gate and what is done about it' },
  { method: 'GET', path: '/api/v1/backpressure', summary: 'who suffers for the machine, and by whose order' },
  {
    method: 'PUT',
    path: '/api/v1/backpressure',
    summary: '{"mode":"shed","below_priority":50,"for":"10m"}, or mode off or auto',
  },
  { method: 'GET', path: '/api/v1/config', summary: 'the config in force' },
  { method: 'GET', path: '/api/v1/receipts[/{id}]', summary: 'why was it refused (?key= &reason= &limit=)' },
  { method: 'GET', path: '/api/v1/audit', summary: 'receipts and operator actions' },
  { method: 'GET', path: '/api/v1/events', summary: 'the same live (Server-Sent Events)' },
  { method: 'GET', path: '/api/v1/openapi.json', summary: 'all of this for programs' },
];

/** Columns of method and path, so that the summaries stand below one another. */
const METHOD_CHARS = 7;
const PATH_CHARS = 30;

/** For somebody who asked the port with curl; a browser gets the dashboard. */
export const ENDPOINTS_TEXT = `Headgate

${ENDPOINTS.map(({ method, path, summary }) => `${method.padEnd(METHOD_CHARS)}${path.padEnd(PATH_CHARS)}${summary}`).join('\n')}
`;
