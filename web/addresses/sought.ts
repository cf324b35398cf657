/** Whether an address that the server holds limits on is the one that somebody looks for. */
import { ipKey } from '../../src/lib/ip.ts';

/** `held` may be an IPv6 network; each address in it is found there. `word`: a part of what is held, or an address. */
export function isAddressSought(held: string, word: string): boolean {
  const slash = held.indexOf('/');
  const part = word.toLowerCase();
  return (
    held.toLowerCase().includes(part) || (slash > 0 && ipKey(part, Number(held.slice(slash + 1))) === held)
  );
}
