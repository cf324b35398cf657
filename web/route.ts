/** The addresses of the pages: what stands after `#`. */
export const PAGES = ['overview', 'streams', 'clients', 'addresses', 'receipts', 'events'] as const;

export type PageName = (typeof PAGES)[number];

export interface Route {
  /** null: there is no such page */
  readonly page: PageName | null;
  /** `#/streams/ID` */
  readonly id: string | null;
  /** `?key=` and the like, empty when there are none */
  readonly query: Readonly<Record<string, string>>;
}

/** `#/streams/s-7k2f`, `#/receipts?key=cam1`; undefined and empty members of `query` are left out. */
export function href(
  page: PageName,
  id: string | null = null,
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const members = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const search = members.length === 0 ? '' : `?${new URLSearchParams(members)}`;
  const path = page === 'overview' ? '' : page;
  return `#/${path}${id === null ? '' : `/${encodeURIComponent(id)}`}${search}`;
}

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [first = '', id] = path.split('/', 2);
  const name = first === '' ? 'overview' : first;
  return {
    page: PAGES.find((page) => page === name) ?? null,
    id: id === undefined || id === '' ? null : decoded(id),
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

/** A hand-typed address may hold a `%` that stands for nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
