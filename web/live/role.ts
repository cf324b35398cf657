/** Who the server takes us for. A viewer sees everything and changes nothing. */
import type { Role } from '../../src/core/roles.ts';
import { useAsk } from './use-ask.ts';

/** What of `GET /api/v1` is read here. */
interface Index {
  readonly caller: { readonly role: Role };
}

/** null until it is known */
export function useRole(): Role | null {
  const { answer } = useAsk<Index>('/api/v1', Number.POSITIVE_INFINITY);
  return answer?.caller.role ?? null;
}
