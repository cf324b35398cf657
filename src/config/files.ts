import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { certificateFault } from './certificate.ts';
import type { Finding } from './problem.ts';
import type { Config } from './schema.ts';

/** Files that a config names: their paths made absolute, and the findings about those that cannot serve. */
export function withFiles(
  config: Config,
  file: string | null,
): { readonly config: Config; readonly findings: readonly Finding[] } {
  const base = file === null ? process.cwd() : dirname(resolve(file));
  const tls = certificates(config.listen.rtmps, base);
  const log = auditFile(config.audit.file, base);
  return {
    config: {
      ...config,
      listen: { ...config.listen, rtmps: tls.rtmps },
      audit: { ...config.audit, file: log.path },
    },
    findings: [...tls.findings, ...log.findings],
  };
}

type Rtmps = Config['listen']['rtmps'];

function certificates(rtmps: Rtmps, base: string): { rtmps: Rtmps; findings: Finding[] } {
  if (rtmps === null) return { rtmps, findings: [] };
  const absolute = { ...rtmps, cert: resolve(base, rtmps.cert), key: resolve(base, rtmps.key) };
  const findings: Finding[] = [];
  for (const name of ['cert', 'key'] as const) {
    try {
      accessSync(absolute[name], constants.R_OK);
    } catch {
      const message = `${absolute[name]} cannot be read; relative paths start at the folder of the config file`;
      findings.push({ path: ['listen', 'rtmps', name], message });
    }
  }
  const fault = findings.length > 0 ? null : certificateFault(absolute);
  if (fault !== null) findings.push({ path: ['listen', 'rtmps'], message: fault });
  return { rtmps: absolute, findings };
}

function auditFile(named: string | null, base: string): { path: string | null; findings: Finding[] } {
  if (named === null) return { path: null, findings: [] };
  const path = resolve(base, named);
  const fault = appendFault(path);
  return { path, findings: fault === null ? [] : [{ path: ['audit', 'file'], message: fault }] };
}

/** Why a file cannot be appended to and replaced by another, in one clause, or null. Nothing is created. */
function appendFault(path: string): string | null {
  const folder = dirname(path);
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && !found.isFile()) {
      return `${path} is no regular file; name one, or one that is not there yet`;
    }
    if (found !== undefined) accessSync(path, constants.R_OK | constants.W_OK);
    // Rotation gives the file another name, which the folder has to allow.
    accessSync(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? `there is no folder ${folder}; make it, or name a file elsewhere`
      : `${path} cannot be written and rotated by this user; check the owner and mode of the file and of ${folder}`;
  }
}
