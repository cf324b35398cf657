// `npm run -s openapi`: writes docs/openapi.json anew from the routes; a house test holds the two equal.

import { writeFileSync } from 'node:fs';
import { openApiText } from '../src/http/openapi-text.ts';
import { VERSION } from '../src/version.ts';

writeFileSync(new URL('../docs/openapi.json', import.meta.url), await openApiText(VERSION));
