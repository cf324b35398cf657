/** Shapes that several routes share, for validation, tests and the OpenAPI document. */
import { z } from 'zod';
import { PROBLEM_STATUS, type ProblemCode } from '../problem.ts';

/** Whole numbers of things. */
export const count = z.number().int().nonnegative();
/** Measured quantities: any unit, never negative. */
export const amount = z.number().nonnegative();
export const wallTime = z.iso.datetime({ precision: 3 });
/** JSON has no Infinity: null is unlimited. */
export const limit = amount.nullable();
export const rate = z.object({ count: amount, period_ms: amount }).nullable();

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.enum(Object.keys(PROBLEM_STATUS) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string(),
    errors: z
      .array(
        z.object({ pointer: z.string().optional(), parameter: z.string().optional(), detail: z.string() }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

/**
 * A route's own answers with the problems it may give. Its type tells the own
 * ones only: a route returns those, and throws `Problem` for the others.
 */
export function answers<Own extends Record<number, unknown>>(own: Own, ...codes: ProblemCode[]): Own {
  return { ...problemsOf([...COMMON_PROBLEMS, ...codes]), ...own };
}

/** `answers` of a path that everybody may ask as often as he likes: probes of load balancers. */
export function openAnswers<Own extends Record<number, unknown>>(own: Own, ...codes: ProblemCode[]): Own {
  return { ...problemsOf(codes), ...own };
}

function problemsOf(codes: readonly ProblemCode[]): Record<number, unknown> {
  return Object.fromEntries(
    codes.map((code) => [
      PROBLEM_STATUS[code],
      { description: code, content: { 'application/problem+json': { schema: problem } } },
    ]),
  );
}

/** A JSON answer that is written piece by piece: documented, but not one value in the code. */
export function streamed(schema: z.ZodType): z.ZodType<unknown> {
  return schema;
}

const COMMON_PROBLEMS: readonly ProblemCode[] = [
  'bad_request',
  'unauthorized',
  'forbidden',
  'too_many_requests',
];

/** How many of a list: a whole number in a query string. */
export function howMany(max: number, fallback: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'expected a whole number')
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, `expected 1 to ${max}`)
    .default(fallback)
    .meta({ description: `At most this many, 1 to ${max}; default ${fallback}.` });
}

/** Yes or no in a query string. */
export const flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({ type: 'boolean' });

/** Text that is looked for, not stored: bounded, so that a scan stays cheap. */
export const searchText = z.string().min(1).max(512);
