import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

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
export function certificateFault({
  cert,
  key,
}: {
  readonly cert: string;
  readonly key: string;
}): string | null {
  try {
    createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return CERTIFICATE_FAULTS[code ?? ''] ?? `cert and key cannot be used: ${message}`;
  }
}
