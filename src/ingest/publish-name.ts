/** What encoders put into the two names of a publish: the app and the stream, each with a query. */

/** The app without what OBS and others append to it: a query, a slash. */
export function appName(app: string): string {
  return splitOnce(app)[0].replace(/\/+$/, '');
}

/** App and name without their queries; `?key=` may stand in either. */
export function splitName(
  app: string,
  name: string,
): { app: string; streamName: string; query: URLSearchParams } {
  const [, appQuery] = splitOnce(app);
  const [streamName = '', nameQuery = ''] = splitOnce(name);
  const query = new URLSearchParams(nameQuery);
  if (!query.has('key')) for (const [key, value] of new URLSearchParams(appQuery)) query.append(key, value);
  return { app: appName(app), streamName, query };
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('?');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
