/** The reader's choice of streams and their order, as it stands in the URL: a link shows what its sender saw. */
import { descendsFirst, isSortKey, type Ordering, type SortKey } from './order.ts';
import { fieldToken, hasToken, toggleToken } from './query.ts';

/** Who presses hardest against a limit comes first. */
const FIRST: Ordering = { sort: 'use', descending: true, query: '' };

/** Links from other pages may say these by themselves: `?client=alice`. */
const LINKED = ['client', 'state', 'protocol', 'tier', 'ip'] as const;

type Query = Readonly<Record<string, string | undefined>>;

export function choiceOf(asked: Query): Ordering {
  const { sort: key = '', dir, q = '' } = asked;
  const sort = isSortKey(key) ? key : FIRST.sort;
  let query = q;
  for (const field of LINKED) {
    const value = asked[field];
    if (value === undefined || value === '') continue;
    const token = fieldToken(field, value);
    if (!hasToken(query, token)) query = toggleToken(query, token);
  }
  return { sort, descending: dir === undefined ? descendsFirst(sort) : dir === 'desc', query };
}

/** Only what differs from the first choice, so that the plain page has the plain URL. */
export function urlQueryOf({ sort, descending, query }: Ordering): Record<string, string> {
  return {
    ...(query === '' ? {} : { q: query }),
    ...(sort === FIRST.sort ? {} : { sort }),
    ...(descending === descendsFirst(sort) ? {} : { dir: descending ? 'desc' : 'asc' }),
  };
}

/** A press on a column's title: its own order first, then turned around. */
export function sortedBy(ordering: Ordering, sort: SortKey): Ordering {
  const descending = ordering.sort === sort ? !ordering.descending : descendsFirst(sort);
  return { ...ordering, sort, descending };
}
