/** Reads an audit log from its files, the rotated ones first, without any server. */
import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { HeadgateError } from '../lib/errors.ts';
import { rotatedFiles } from '../telemetry/audit-log/names.ts';
import type { AuditEvent } from '../telemetry/events.ts';
import { printable } from '../telemetry/printable.ts';

/** Characters of one line: a hundred times the longest there is. What has a longer one is no audit log. */
const LINE_CHARS_MAX = 1024 * 1024;

export type LoggedLine =
  | { readonly kind: 'event'; readonly event: AuditEvent }
  /** so many events found no room in the server before they could be written */
  | { readonly kind: 'dropped'; readonly count: number }
  /** half a line, or no line of an audit log */
  | { readonly kind: 'unreadable' };

/** Every line, oldest first; files last written before `sinceMs` (Unix ms) are passed over. Throws HG_API with the fault. */
export async function* auditLines(file: string, sinceMs: number): AsyncGenerator<LoggedLine> {
  const failed = (fault: unknown): HeadgateError => {
    if (fault instanceof HeadgateError) return fault;
    const { code, message } = fault as NodeJS.ErrnoException;
    const why = FAULTS[code ?? ''] ?? message;
    return new HeadgateError('HG_API', `cannot read ${printable(file)}: ${why}`, { cause: fault });
  };
  try {
    const rotated = (await rotatedFiles(file)).map((each) => each.file);
    for (const name of [...rotated.toReversed(), file]) {
      // What is rotated away while this reads has been read, or is passed over.
      if (name !== file && (await stat(name)).mtimeMs < sinceMs) continue;
      for await (const line of linesOf(name)) if (line !== '') yield loggedLine(line);
    }
  } catch (fault) {
    throw failed(fault);
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; audit.file in the config says where it is',
  EACCES: 'no permission; ask its owner, or become a member of its group',
  EISDIR: 'it is a folder; name the file in it',
};

async function* linesOf(name: string): AsyncGenerator<string> {
  const source = name.endsWith('.gz') ? unpacked(createReadStream(name)) : createReadStream(name);
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARS_MAX) throw new HeadgateError('HG_API', `${printable(name)} is no audit log`);
    yield* lines;
  }
  yield rest;
}

function unpacked(packed: ReadStream): Gunzip {
  const gunzip = createGunzip();
  packed.on('error', (fault) => gunzip.destroy(fault));
  return packed.pipe(gunzip);
}

function loggedLine(line: string): LoggedLine {
  try {
    const { node: _node, ...logged } = JSON.parse(line) as Record<string, unknown>;
    if (logged['kind'] === 'dropped') return { kind: 'dropped', count: Number(logged['count']) };
    const told = logged['kind'] === 'receipt' ? logged['receipt'] : logged['action'];
    const { id, at } = told as { id?: unknown; at?: unknown };
    if (typeof id === 'string' && typeof at === 'string')
      return { kind: 'event', event: logged as unknown as AuditEvent };
  } catch {
    // Told below.
  }
  return { kind: 'unreadable' };
}
