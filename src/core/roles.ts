/** What a caller of the admin API may do: a viewer reads, an operator also changes. */
export const ROLES = ['viewer', 'operator'] as const;

export type Role = (typeof ROLES)[number];
