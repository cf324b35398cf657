/** The files of an audit log: `PATH` is being written, `PATH.1` was before it, `PATH.2` before that. logrotate names them so, too. */
import { readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';

interface RotatedFile {
  /** 1 is the newest */
  readonly number: number;
  readonly file: string;
}

/** Files that were `file` before, newest first; `.gz` for those that something else compressed since. */
export async function rotatedFiles(file: string): Promise<RotatedFile[]> {
  const folder = path.dirname(file);
  const base = path.basename(file);
  const found: RotatedFile[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${base}.`)) continue;
    const number = /^([1-9]\d{0,5})(\.gz)?$/.exec(name.slice(base.length + 1))?.[1];
    if (number !== undefined) found.push({ number: Number(number), file: path.join(folder, name) });
  }
  return found.sort((a, b) => a.number - b.number);
}

/**
 * Makes room for a new `file`: it becomes `.1`, `.1` becomes `.2`, and what is older than `keep` files goes.
 * Only an unbroken row of names moves, so that trying again after a fault half-way moves nothing twice.
 */
export async function shiftNames(file: string, keep: number): Promise<void> {
  const rotated = await rotatedFiles(file);
  const row = new Set<number>();
  for (const { number } of rotated) if (number === row.size + 1) row.add(number);
  for (const { number, file: old } of rotated.toReversed()) {
    if (number >= keep + (row.has(number) ? 0 : 1)) await unlink(old);
    else if (row.has(number)) await rename(old, old.replace(/\.\d+(\.gz)?$/, `.${number + 1}$1`));
  }
  await rename(file, `${file}.1`);
}
