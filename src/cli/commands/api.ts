import { HeadgateError } from '../../lib/errors.ts';
import { escapeUnsafe, printable } from '../../telemetry/printable.ts';
import type { Context } from '../context.ts';

/** `headgate api PATH`: the answer of any endpoint that is read, as it came. */
export async function runApi(
  { path }: { readonly path: string },
  { api, terminal }: Context,
): Promise<number> {
  if (!path.startsWith('/')) {
    throw new HeadgateError(
      'HG_USAGE',
      `${printable(path, 100)} is no path of the API; one begins with /, such as /api/v1`,
    );
  }
  if (path.split('?', 1)[0] === '/api/v1/events') {
    throw new HeadgateError('HG_USAGE', 'events never end: follow them with `headgate events --follow`');
  }
  const text = (await api.getRaw(path)).replace(/\n$/, '');
  terminal.stdout.write(`${text.split('\n').map(escapeUnsafe).join('\n')}\n`);
  return 0;
}
