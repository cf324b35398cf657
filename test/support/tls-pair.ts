import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A certificate for localhost that nobody trusts, and its key, valid for a hundred years. For tests only. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUCvVphy1podQJtwgQ6kmAIKP6zGUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTAwNDMyMVoYDzIxMjYxMDI4
MDA0MzIxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQL9lzqeXBvWdfI0LQlqCDck/2yF9EcCEUN35ylWMyV+Z+EBQm+owoS
hL9Eiv9bXk6gSvKvcKEfCMDUFqULp43Xo28wbTAdBgNVHQ4EFgQUoP7lEFbZ0C+1
B4lmlm8x7QKeGgQwHwYDVR0jBBgwFoAUoP7lEFbZ0C+1B4lmlm8x7QKeGgQwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhALD2qrayMEnH3mHkoe/AQAbRX1+VMxpJ5MEQa9+adjzjAiAq
jx+dNlJYnFaNqxLOPP5SiaJ8Rc5X8b1aeJD1nuee9w==
-----END CERTIFICATE-----
`;

const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYKLRh7G4hRWv5qlp
avST0TymTeHAZ3fqOrRm17AUYYOhRANCAAQL9lzqeXBvWdfI0LQlqCDck/2yF9Ec
CEUN35ylWMyV+Z+EBQm+owoShL9Eiv9bXk6gSvKvcKEfCMDUFqULp43X
-----END PRIVATE KEY-----
`;

/** Writes the pair to a folder of its own; gives lines for `listen` in the config, and the folder to remove. */
export function listenTlsLines(): { readonly listen: string; readonly folder: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'headgate-tls-'));
  const cert = path.join(folder, 'cert.pem');
  const key = path.join(folder, 'key.pem');
  writeFileSync(cert, CERTIFICATE);
  writeFileSync(key, KEY, { mode: 0o600 });
  return { listen: `  rtmps: { address: "127.0.0.1:0", cert: "${cert}", key: "${key}" }`, folder };
}
