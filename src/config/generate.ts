import { writeFileSync } from 'node:fs';
import { configJsonSchema } from './json-schema.ts';

/** `node src/config/generate.ts` writes config/schema.json anew; a test holds the two equal. */
writeFileSync(
  new URL('../../config/schema.json', import.meta.url),
  `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
);
