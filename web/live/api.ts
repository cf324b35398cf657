/** One request to the admin API. What goes wrong is an `ApiError` with the words of the server's problem document. */
import { authorization, refused } from './session.ts';

export class ApiError extends Error {
  /** HTTP status; 0 when no answer came */
  readonly status: number;
  /** the word of the problem document; `network` when no answer came */
  readonly code: string;
  /** ms to wait before the same is worth trying; null when the server did not say */
  readonly retryAfterMs: number | null;

  constructor(status: number, code: string, detail: string, retryAfterMs: number | null = null) {
    super(detail);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface AskOptions {
  readonly method?: 'GET' | 'PATCH' | 'PUT' | 'DELETE' | 'POST';
  /** sent as JSON */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** `path` from `/api/v1/...`, query included. Throws ApiError, or what `signal` was aborted with. */
export async function ask<T>(path: string, options: AskOptions = {}): Promise<T> {
  const answer = await open(path, options);
  return (await answer.json()) as T;
}

/** Like `ask`, with the body still to be read. */
export async function open(path: string, options: AskOptions = {}): Promise<Response> {
  const { method = 'GET', body, signal } = options;
  const headers: Record<string, string> = authorization();
  if (body !== undefined) headers['content-type'] = 'application/json';
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers,
      cache: 'no-store',
      credentials: 'omit',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError(0, 'network', 'the server does not answer');
  }
  if (answer.ok) return answer;
  if (answer.status === 401) refused();
  throw await problemOf(answer);
}

async function problemOf(answer: Response): Promise<ApiError> {
  const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : null;
  try {
    const { code, detail } = (await answer.json()) as { code?: string; detail?: string };
    return new ApiError(answer.status, code ?? 'unknown', detail ?? answer.statusText, retryAfterMs);
  } catch {
    return new ApiError(answer.status, 'unknown', `${answer.status} ${answer.statusText}`, retryAfterMs);
  }
}
