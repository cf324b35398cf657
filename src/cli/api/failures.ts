import { HeadgateError } from '../../lib/errors.ts';
import { printable } from '../../telemetry/printable.ts';

/** What goes wrong between a command and a server, each in one line: what was wrong and what to do. */

const ELSEWHERE = 'name another with --url or HEADGATE_URL';

const CLOSED = `the connection was closed without an answer: it is not the admin port of a Headgate server, or wants https://; ${ELSEWHERE}`;

/** What the codes of Node, undici and OpenSSL mean for somebody who gave a URL. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: `no server is running there: start one with \`headgate serve\`, or ${ELSEWHERE}`,
  ECONNRESET: CLOSED,
  UND_ERR_SOCKET: CLOSED,
  ENOTFOUND: `the host name is not known: check its spelling, or ${ELSEWHERE}`,
  EAI_AGAIN: `the host name cannot be looked up now: check the network, or give an address with --url`,
  EHOSTUNREACH: `no way to this host: check the address and the network`,
  ENETUNREACH: `no way to this network: check the address and the network`,
  ETIMEDOUT: `the host does not answer: check the address and the firewalls on the way`,
  UND_ERR_CONNECT_TIMEOUT: `the host does not answer: check the address and the firewalls on the way`,
  ERR_SSL_WRONG_VERSION_NUMBER: 'this port does not speak TLS: use http:// instead of https://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'this port does not speak TLS: use http:// instead of https://',
  EPROTO: 'this port does not speak TLS: use http:// instead of https://',
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: use that name in --url',
};

/** Certificates that nobody vouches for. */
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED/;

/** A request that got no answer. */
export function unreachable(error: unknown, url: string, timeoutMs: number): HeadgateError {
  const { name, cause, message } = error as {
    name?: string;
    message?: string;
    cause?: { name?: string; code?: string; message?: string };
  };
  const code = cause?.code ?? '';
  const failed = (why: string): HeadgateError =>
    new HeadgateError('HG_API', `cannot ask ${url}: ${why}`, { cause: error });
  if (name === 'TimeoutError') {
    return failed(
      `no answer within ${timeoutMs / 1000} s: it is overloaded or stopped, or it is no Headgate server; ${ELSEWHERE}`,
    );
  }
  const known = UNREACHABLE[code];
  if (known !== undefined) return failed(known);
  if (UNTRUSTED.test(code)) {
    return failed(
      'its certificate is not trusted here: put the CA that signed it in a file and set NODE_EXTRA_CA_CERTS to it',
    );
  }
  if (cause?.name === 'HTTPParserError') return notHeadgate(url, 'what answers there does not speak HTTP');
  if (cause?.message === 'bad port') {
    return failed(
      'fetch never asks this port, which belongs to another protocol: give listen.admin another one',
    );
  }
  return failed(printable(cause?.message ?? message ?? 'unknown fault'));
}

/** Something answered that is no Headgate. */
export function notHeadgate(url: string, why: string): HeadgateError {
  return new HeadgateError(
    'HG_API',
    `${url} is not the admin API of a Headgate server: ${why}; ${ELSEWHERE}`,
  );
}

/** The body of an error as the API writes it (RFC 9457). */
export interface ProblemBody {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** The parsed body of an answer, if it is a problem of the API. */
export function problemIn(body: unknown): ProblemBody | null {
  if (typeof body !== 'object' || body === null) return null;
  const { status, code, detail } = body as Partial<Record<keyof ProblemBody, unknown>>;
  if (typeof status !== 'number' || typeof code !== 'string' || typeof detail !== 'string') return null;
  return { status, code, detail: printable(detail, 1_000) };
}

/** The API refused; `code` and `status` let a command say it in its own words. */
export class Refused extends HeadgateError {
  readonly status: number;

  constructor(status: number, message: string) {
    // What the API finds wrong with a value was wrong on the command line.
    super(status === 400 || status === 422 ? 'HG_USAGE' : 'HG_API', message);
    this.name = 'Refused';
    this.status = status;
  }
}

/** The refusal that a problem stands for. `retryAfter` is the header of that name, seconds. */
export function refusedBy(
  problem: ProblemBody,
  address: { readonly url: string; readonly token: string | null },
  retryAfter: string | null,
): Refused {
  const { status, detail } = problem;
  const { url, token } = address;
  switch (status) {
    case 401:
      return new Refused(
        status,
        token === null
          ? `${url} wants a token: set HEADGATE_TOKEN or give --token (admin.tokens in its config)`
          : `${url} does not know this token: check --token or HEADGATE_TOKEN against admin.tokens in its config`,
      );
    case 403:
      return new Refused(status, `${url} does not allow this: ${detail}`);
    case 429:
    case 503:
      return new Refused(
        status,
        `${url} cannot answer now: ${detail}${retryAfter === null ? '' : `; try again in ${printable(retryAfter, 20)} s`}`,
      );
    case 400:
    case 422:
    case 404:
      return new Refused(status, detail);
    default:
      return new Refused(status, `${url} answered ${status}: ${detail}`);
  }
}
