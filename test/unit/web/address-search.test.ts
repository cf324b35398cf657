import { expect, test } from 'vitest';
import { isAddressSought } from '../../../web/addresses/sought.ts';

test.each([
  ['192.0.2.10', '192.0.2', true],
  ['192.0.2.10', '198', false],
  ['2001:db8:1:2::/64', '2001:DB8', true],
  // What a stream's page links: the address of one publisher, held with its whole network.
  ['2001:db8:1:2::/64', '2001:db8:1:2::5', true],
  ['2001:db8:1:2::/64', '2001:db8:1:3::5', false],
  ['2001:db8:1:2::/64', 'nobody', false],
  ['unknown', 'nobody', false],
])('%s is found by %s: %s', (held, word, found) => {
  expect(isAddressSought(held, word)).toBe(found);
});
