import { writeFileSync } from 'node:fs';
import { openApiText } from './openapi-text.ts';

/** `node src/http/generate.ts` writes docs/openapi.json anew; a test holds it equal to the routes. */
writeFileSync(new URL('../../docs/openapi.json', import.meta.url), await openApiText());
