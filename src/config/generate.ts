import { writeFileSync } from 'node:fs';
import { configJsonSchema } from './json-schema.ts';
import { configOptionsSource } from './options-source.ts';

/** `node src/config/generate.ts` writes config/schema.json and options.ts anew; a test holds both equal to the schema. */
writeFileSync(
  new URL('../../config/schema.json', import.meta.url),
  `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
);
writeFileSync(new URL('options.ts', import.meta.url), configOptionsSource());
