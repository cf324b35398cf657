import type { ApiAddress } from './address.ts';
import { notHeadgate, problemIn, refusedBy, unreachable } from './failures.ts';

/**
 * The admin API of a running server, over global `fetch`. Every fault comes out
 * as a `HeadgateError` of one line; a refusal of the API as `Refused`.
 */

/** How long a server may take for a whole answer, ms. A list of 10,000 streams takes half a second. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Bytes of an answer: five times the largest list. What is not Headgate may never end. */
const ANSWER_BYTES_MAX = 64 * 2 ** 20;

type Query = Readonly<Record<string, string | number | undefined>>;

interface RequestOptions {
  readonly query?: Query;
  readonly body?: unknown;
  /** a status beside 2xx whose body is the answer, too */
  readonly answerToo?: number;
}

export interface ApiOptions {
  /** see ANSWER_TIMEOUT_MS; tests pass less */
  readonly timeoutMs?: number;
}

export class ApiClient {
  readonly #address: ApiAddress;
  readonly #timeoutMs: number;

  constructor(address: ApiAddress, options: ApiOptions = {}) {
    this.#address = address;
    this.#timeoutMs = options.timeoutMs ?? ANSWER_TIMEOUT_MS;
  }

  get url(): string {
    return this.#address.url;
  }

  /** The answer of `GET path`, an object that has `member`. */
  get<T extends object>(path: string, member: keyof T & string, query: Query = {}): Promise<T> {
    return this.#ask<T>('GET', path, member, { query });
  }

  /** As `get`, for a path that tells the same with 503 when it has bad news (`/readyz`). */
  getEvenIfUnavailable<T extends object>(path: string, member: keyof T & string): Promise<T> {
    return this.#ask<T>('GET', path, member, { answerToo: 503 });
  }

  /** The answer of `GET path` as text of that type. */
  async getText(path: string, type: string): Promise<string> {
    const response = await this.#fetch(this.#target(path, {}), {
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    if (!response.ok) await this.#refusal(response);
    if (!isType(response, type)) throw notHeadgate(this.url, `its ${path} is of another kind`);
    return this.#text(response);
  }

  delete<T extends object>(path: string, member: keyof T & string, query: Query = {}): Promise<T> {
    return this.#ask<T>('DELETE', path, member, { query });
  }

  patch<T extends object>(path: string, member: keyof T & string, body: unknown): Promise<T> {
    return this.#ask<T>('PATCH', path, member, { body });
  }

  put<T extends object>(path: string, member: keyof T & string, body: unknown): Promise<T> {
    return this.#ask<T>('PUT', path, member, { body });
  }

  /** The answer of `GET path` as it came, whatever its type. */
  async getRaw(path: string): Promise<string> {
    const response = await this.#fetch(this.#target(path, {}), {
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    if (!response.ok) await this.#refusal(response);
    return this.#text(response);
  }

  /**
   * Subscribes to `GET /api/v1/events`; resolves when the server has agreed.
   * `interval` is the pause between two snapshots (`1s`, `never`).
   */
  async subscribe(interval: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const opened = new AbortController();
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const late = (): void => opened.abort(timeout.reason);
    timeout.addEventListener('abort', late);
    const target = this.#target('/api/v1/events', { interval });
    try {
      const response = await this.#fetch(target, { signal: AbortSignal.any([opened.signal, signal]) });
      if (!response.ok) await this.#refusal(response);
      if (!isType(response, 'text/event-stream') || response.body === null) {
        throw notHeadgate(this.url, 'it has no events');
      }
      return response.body;
    } finally {
      timeout.removeEventListener('abort', late);
    }
  }

  async #ask<T extends object>(
    method: string,
    path: string,
    member: keyof T & string,
    { query = {}, body, answerToo }: RequestOptions,
  ): Promise<T> {
    const init: RequestInit = { method, signal: AbortSignal.timeout(this.#timeoutMs) };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await this.#fetch(this.#target(path, query), init);
    if (!response.ok && response.status !== answerToo) await this.#refusal(response);
    const answer = await this.#json(response);
    if (typeof answer !== 'object' || answer === null || !(member in answer)) {
      throw notHeadgate(this.url, 'its answer has another shape');
    }
    return answer as T;
  }

  #target(path: string, query: Query): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) parameters.set(name, String(value));
    }
    const search = parameters.toString();
    return `${this.url}${path}${search === '' ? '' : `?${search}`}`;
  }

  async #fetch(target: string, init: RequestInit): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json, text/event-stream' };
    if (this.#address.token !== null) headers['authorization'] = `Bearer ${this.#address.token}`;
    if (init.body !== undefined) headers['content-type'] = 'application/json';
    try {
      // A redirect is not followed: it could take the token to somebody else.
      return await fetch(target, { ...init, headers, redirect: 'manual' });
    } catch (error) {
      throw unreachable(error, this.url, this.#timeoutMs);
    }
  }

  /** Throws what the answer refuses with. */
  async #refusal(response: Response): Promise<never> {
    if (response.status >= 300 && response.status < 400) {
      throw notHeadgate(this.url, `it sends elsewhere (${response.status})`);
    }
    if (!isType(response, 'application/problem+json')) {
      throw notHeadgate(this.url, `it answered ${response.status} without saying why`);
    }
    const problem = problemIn(await this.#json(response));
    if (problem === null) throw notHeadgate(this.url, `it answered ${response.status} in a shape of its own`);
    throw refusedBy(problem, this.#address, response.headers.get('retry-after'));
  }

  async #json(response: Response): Promise<unknown> {
    const text = await this.#text(response);
    try {
      return JSON.parse(text);
    } catch {
      throw notHeadgate(this.url, 'its answer is not JSON');
    }
  }

  async #text(response: Response): Promise<string> {
    const decoder = new TextDecoder();
    const parts: string[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response.body ?? []) {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) break;
        parts.push(decoder.decode(chunk, { stream: true }));
      }
    } catch (error) {
      throw unreachable(error, this.url, this.#timeoutMs);
    }
    if (bytes > ANSWER_BYTES_MAX) throw notHeadgate(this.url, 'its answer does not end');
    return parts.join('') + decoder.decode();
  }
}

function isType(response: Response, type: string): boolean {
  return (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim() === type;
}
