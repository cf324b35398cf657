/**
 * The token, for as long as the tab lives. It is kept in sessionStorage and sent as a header; no cookie means that
 * no other site can make this browser send it.
 */
import { Cell } from './cell.ts';

const KEY = 'headgate.token';

/** null: none was given */
export const token = new Cell<string | null>(stored());

/** Counts the tokens that were given, the same again included: what was refused is asked anew. */
export const tokensGiven = new Cell(0);

/** true: the server wants a token, or another one; `app.tsx` then asks for it */
export const tokenWanted = new Cell<'no' | 'first' | 'wrong'>('no');

function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Keeps `text`, or forgets what was kept. */
export function setToken(text: string | null): void {
  try {
    if (text === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, text);
  } catch {
    // A browser that stores nothing still has it until the page is loaded again.
  }
  token.set(text);
  tokenWanted.set('no');
  tokensGiven.set(tokensGiven.get() + 1);
}

/** What every request to the API carries. */
export function authorization(): Record<string, string> {
  const text = token.get();
  return text === null ? {} : { authorization: `Bearer ${text}` };
}

/** The API answered 401. */
export function refused(): void {
  tokenWanted.set(token.get() === null ? 'first' : 'wrong');
}
