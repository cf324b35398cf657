import { expect, test } from 'vitest';
import { refused, setToken, token, tokensGiven, tokenWanted } from '../../../web/live/session.ts';

test('the same token given again is told, so that what was refused is asked once more', () => {
  let told = 0;
  tokensGiven.subscribe(() => {
    told += 1;
  });
  setToken('the-token');
  refused();
  expect(tokenWanted.get()).toBe('wrong');
  setToken('the-token');
  expect({ told, token: token.get(), wanted: tokenWanted.get() }).toEqual({
    told: 2,
    token: 'the-token',
    wanted: 'no',
  });
});
