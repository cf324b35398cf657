/** Names that appear in paths, metrics, logs and the audit trail. */
export const NAME = { pattern: /^[A-Za-z0-9_-]{1,128}$/, means: '1 to 128 letters, digits, _ or -' };
