/** The Chromium of this machine, or null. */
export function chromiumPath(): string | null;

/** The promtool in PATH, else the one fetched into this checkout, else null. */
export function promtoolPath(): string | null;

export const CHROMIUM_BY_HAND: string;

export const PROMTOOL_BY_HAND: string;
