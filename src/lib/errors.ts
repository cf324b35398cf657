/**
 * Every error a user can meet, by code. A test keeps this list equal to the
 * table in ARCHITECTURE.md. A denial is not an error: see `core/verdict.ts`.
 */
export const ERROR_CODES = {
  HG_CONFIG_READ: 'the config file cannot be read',
  HG_CONFIG_INVALID: 'the config has errors, each listed with its place',
  HG_USAGE: 'the command line is wrong',
  HG_API: 'a running server could not be asked, or refused',
  HG_LISTEN: 'an address cannot be listened on',
  HG_TLS: 'a certificate or key cannot be used',
  HG_NATIVE_MISSING: 'the native addon is not built or does not load',
  HG_SRT_MISSING: 'SRT is configured, and libsrt is not there',
  HG_NMS_CHANGED: 'node-media-server is not the version whose internals are known',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** A fault of the environment or of the user, told in one line: what was wrong and what to do. */
export class HeadgateError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HeadgateError';
    this.code = code;
  }
}
