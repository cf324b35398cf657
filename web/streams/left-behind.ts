/** How the table was left, so that who comes back from a stream's page finds it so. It lasts as long as the tab. */
import { href } from '../router.ts';

export const leftBehind = {
  /** with filter and order */
  address: href('streams'),
  /** id of the selected stream */
  selected: null as string | null,
};
