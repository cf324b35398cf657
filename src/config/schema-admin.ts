import { z } from 'zod';
import { NAME } from '../core/names.ts';
import { ROLES } from '../core/roles.ts';
import { documented, field, filled, leaf } from './field.ts';
import { bool, count, eventRate, oneOf, text } from './kinds.ts';

/** Who may use the admin API, and how much of it. */

/** What an HTTP header carries after "Bearer " (RFC 6750 section 2.1, widened to visible ASCII). */
const TOKEN = {
  pattern: /^[!-~]{1,512}$/,
  means: '1 to 512 visible ASCII characters without spaces',
  secret: true,
};

/** A hash is no password, but it tells who has a token whether it is this one: shown to nobody. */
const HASH = {
  pattern: /^sha256:[0-9a-f]{64}$/,
  means: 'sha256: and 64 hex digits, as headgate token prints it',
  secret: true,
};

/** One of `token` and `hash` is there; `crossCheck` sees to that. */
const token = z.strictObject({
  token: leaf(text(TOKEN), 'The secret itself, sent as "Authorization: Bearer ...".').exactOptional(),
  hash: leaf(
    text(HASH),
    'What headgate token printed of it: the secret is then not in this file.',
  ).exactOptional(),
  role: leaf(oneOf(ROLES), 'viewer reads; operator also kicks and sets limits.').prefault('viewer'),
  name: leaf(text(NAME), 'Who has it, for the audit trail.').exactOptional(),
});

const rateLimit = filled(
  {
    requests: field(leaf(eventRate(), 'Requests of one token, or of one address without.'), '50/s'),
    burst: field(leaf(count({ min: 1, max: 100_000 }), 'Requests at once after a rest.'), 100),
  },
  'How often the admin API may be asked.',
);

export const admin = filled(
  {
    tokens: field(
      documented(
        z.array(token),
        'Who may use the admin API. Needed as soon as listen.admin is not on loopback.',
      ),
      [],
    ),
    rate_limit: field(rateLimit, {}),
    x_ratelimit: field(leaf(bool(), 'Tells the rate limit in the older X-RateLimit headers as well.'), false),
  },
  'Access to the admin API.',
);
