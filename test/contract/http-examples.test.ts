import { expect, test } from 'vitest';
import { backpressureOrder, limitChange } from '../../src/http/quantities.ts';
import { operatorAction, receipt } from '../../src/http/schemas/audit.ts';
import {
  ACTION_EXAMPLE,
  BACKPRESSURE_ORDER_EXAMPLE,
  LIMIT_CHANGE_EXAMPLE,
  RECEIPT_EXAMPLE,
  STREAM_EXAMPLE,
  TOTALS_EXAMPLE,
} from '../../src/http/schemas/examples.ts';
import { stream, totals } from '../../src/http/schemas/stream.ts';

test.each([
  ['a stream', stream, STREAM_EXAMPLE],
  ['totals', totals, TOTALS_EXAMPLE],
  ['a receipt', receipt, RECEIPT_EXAMPLE],
  ['an action', operatorAction, ACTION_EXAMPLE],
])('the example of %s is what the API would tell', (_name, schema, example) => {
  expect(schema.parse(example)).toEqual(example);
});

test.each([
  ['limits', limitChange, LIMIT_CHANGE_EXAMPLE],
  ['backpressure', backpressureOrder, BACKPRESSURE_ORDER_EXAMPLE],
])('the example of a change of %s would be taken', (_name, schema, example) => {
  expect(schema.safeParse(example).success).toBe(true);
});
