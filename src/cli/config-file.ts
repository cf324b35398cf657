import { existsSync, readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type LoadResult, loadConfig } from '../config/load.ts';
import type { ConfigProblem } from '../config/problem.ts';

/** Read when no file is named and it exists. */
const DEFAULT_CONFIG = 'config/headgate.yaml';

/** The file to read: the one that was named, or the default one if it is here; null: built-in defaults. */
export function configFile(named: string | null): string | null {
  return named ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : null);
}

/**
 * Loads the config of `serve` and `check`: what it says, and that the files it
 * names can be used, so that `check` does not pass what `serve` cannot start with.
 */
export function loadUsableConfig(
  file: string | null,
  env: Readonly<Record<string, string | undefined>>,
): LoadResult {
  const loaded = loadConfig(file, env);
  if (!loaded.ok) return loaded;
  const { rtmps } = loaded.config.listen;
  const fault = rtmps === null ? null : certificateFault(rtmps);
  if (fault === null) return loaded;
  const path = 'listen.rtmps';
  const origin = loaded.source.origins.get(path) ?? null;
  const place = { file: origin, line: null, column: null, variable: null };
  const problem: ConfigProblem = { ...place, path, message: `${path}: ${fault}` };
  return { ok: false, code: 'HG_CONFIG_INVALID', problems: [problem], digest: loaded.digest };
}

/** OpenSSL's codes for a pair of files that cannot serve. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  ERR_OSSL_X509_KEY_VALUES_MISMATCH:
    'key is not the private key of cert; name the two that were made together',
  ERR_OSSL_X509_KEY_TYPE_MISMATCH: 'key is not the private key of cert; name the two that were made together',
  ERR_OSSL_PEM_NO_START_LINE: 'cert holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)',
  ERR_OSSL_UNSUPPORTED: 'key holds no private key in PEM form, or one that needs a passphrase',
  ERR_OSSL_BAD_DECRYPT: 'key needs a passphrase; store it without one',
};

/** Why the pair cannot be used, in one clause, or null. */
function certificateFault({ cert, key }: { readonly cert: string; readonly key: string }): string | null {
  try {
    createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return CERTIFICATE_FAULTS[code ?? ''] ?? `cert and key cannot be used: ${message}`;
  }
}
