import { z } from 'zod';

/**
 * A leaf of the config: how its text is read, how its value is written back,
 * and what it means. Validation, the JSON Schema, the environment overrides,
 * the printed limits and the masked config are all derived from this one
 * description, through the zod schema that carries it.
 */

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  /** one clause that starts with the offending text: `100 has no unit; did you mean ...` */
  | { readonly ok: false; readonly problem: string };

/** A fragment of JSON Schema, draft 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** How one kind of value is read and written, whatever key it stands at. */
export interface Kind<T> {
  read(input: unknown): Read<T>;
  /** the value as the config file would say it; inverse of `read` */
  write(value: T): unknown;
  readonly json: JsonSchema;
  /** an environment value is taken as it is; otherwise it is read as YAML first */
  readonly text: boolean;
  /** never shown: tokens, stream keys */
  readonly secret?: boolean;
}

export interface LeafMeta {
  readonly kind: Kind<unknown>;
  readonly doc: string;
}

const leaves = z.registry<LeafMeta>();
const sections = z.registry<{ readonly doc: string; readonly shorthand?: string }>();

export type Leaf<T> = z.ZodPipe<z.ZodUnknown, z.ZodTransform<T, unknown>>;

/** A leaf of `kind` with its documentation: one or two sentences, shown in editors and by `check`. */
export function leaf<T>(kind: Kind<T>, doc: string): Leaf<T> {
  const schema = z.unknown().transform((input, context): T => {
    const read = kind.read(input);
    if (read.ok) return read.value;
    context.addIssue({ code: 'custom', message: read.problem });
    return z.NEVER;
  });
  leaves.add(schema, { kind: kind as Kind<unknown>, doc });
  return schema;
}

export function leafMeta(schema: z.core.$ZodType): LeafMeta | undefined {
  return leaves.get(schema);
}

/**
 * Documents a section, a list or a map. `shorthand` names the key that a plain
 * value in the place of a section stands for; on a list it says that a single
 * entry needs no list.
 */
export function documented<S extends z.ZodType>(schema: S, doc: string, shorthand?: string): S {
  sections.add(schema, shorthand === undefined ? { doc } : { doc, shorthand });
  return schema;
}

export function sectionMeta(schema: z.core.$ZodType): { doc: string; shorthand?: string } | undefined {
  return sections.get(schema);
}

/** A key with its default, written as an operator would write it. */
export interface Field<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  readonly fallback: unknown;
}

export function field<S extends z.ZodType>(schema: S, fallback: unknown): Field<S> {
  return { schema, fallback };
}

type Fields = Readonly<Record<string, Field>>;
type Filled<F extends Fields> = z.ZodObject<
  { [K in keyof F]: z.ZodPrefault<F[K]['schema']> },
  z.core.$strict
>;
type Partial_<F extends Fields> = z.ZodObject<
  { [K in keyof F]: z.ZodExactOptional<F[K]['schema']> },
  z.core.$strict
>;

/** The section with every absent key at its default. */
export function filled<const F extends Fields>(fields: F, doc: string): Filled<F> {
  const shape = Object.entries(fields).map(([key, { schema, fallback }]) => [key, schema.prefault(fallback)]);
  return documented(z.strictObject(Object.fromEntries(shape)) as Filled<F>, doc);
}

/** The same keys, none of them needed: what a tier, a client or a policy changes. */
export function partly<const F extends Fields>(fields: F, doc: string): Partial_<F> {
  const shape = Object.entries(fields).map(([key, { schema }]) => [key, schema.exactOptional()]);
  return documented(z.strictObject(Object.fromEntries(shape)) as Partial_<F>, doc);
}

/** `rtmp: 0.0.0.0:1935` and `rtmp: { address: 0.0.0.0:1935 }` are the same. */
export function orObject<S extends z.ZodType>(key: string, schema: S): z.ZodPreprocess<S> {
  return z.preprocess(
    (input) =>
      typeof input === 'object' && input !== null && !Array.isArray(input) ? input : { [key]: input },
    schema,
  );
}
