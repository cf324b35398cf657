/** What somebody asks about, out of whatever he has at hand: a path, a URL, a stream id, the line that an encoder shows. */

/** What `publish` prints and players use: `rtmp://host:1935/live/cam1?key=x` is the path `/live/cam1`. */
const STREAM_URL = /^(?:rtmps?|https?|wss?):\/\/[^/]+(\/[^?#]*)/;

/** An SRT address with its stream id, which may stand there as it is or escaped, or the id alone. */
const STREAM_ID = /^(?:srt:\/\/[^?]*\?(?:[^#]*&)?streamid=([^&]*)|(#!(?:::|%3A%3A).*))/i;

/** What a stream id asks for: the resource of `#!::r=live/cam1,m=publish`, or what it says plainly; `live` is the app of a bare name. */
function resourceOf(streamId: string): string {
  const standard = /^#!::(?:.*,)?r=([^,]*)/.exec(streamId)?.[1];
  const resource = standard ?? streamId.replace(/^(publish|read|request|play):/, '').split(/[:?]/)[0] ?? '';
  return resource.includes('/') ? resource : `live/${resource}`;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A path as the server writes it, out of `/live/cam1`, `live/cam1`, a URL or an SRT stream id; null when it names no path. */
export function pathIn(text: string): string | null {
  const srt = STREAM_ID.exec(text);
  if (srt !== null) return pathIn(resourceOf(unescaped(srt[1] ?? srt[2] ?? '')));
  const path = STREAM_URL.exec(text)?.[1]?.replace(/\.(flv|ts)$/, '') ?? text;
  if (!path.includes('/')) return null;
  return path.startsWith('/') ? path : `/${path}`;
}

/** What an encoder shows when it is refused ends in the receipt. */
const RECEIPT_IN_NOTICE = /\breceipt=(r-[0-9a-z]+)/;

/** A client of IPv6 is an address and the length of its prefix, which looks like a path. */
const NETWORK = /^[0-9a-f]*:[0-9a-f:.]*\/\d{1,3}$/i;

/** The key under which receipts of it are found. */
export function soughtIn(text: string): string {
  const said = text.trim();
  const receipt = RECEIPT_IN_NOTICE.exec(said)?.[1];
  if (receipt !== undefined) return receipt;
  return NETWORK.test(said) ? said : (pathIn(said) ?? said);
}
