import { documented, field, filled, leaf } from './field.ts';
import { count, duration, FILE_PATH, size, text } from './kinds.ts';

/** What is written down of decisions, in memory and in a file. */
export const audit = filled(
  {
    receipts: field(leaf(count({ min: 1, max: 1_000_000 }), 'Receipts kept for headgate why.'), 10_000),
    file: field(
      documented(
        leaf(
          text(FILE_PATH),
          'Every receipt and action as a line of JSON. A relative path starts at the folder of the config file.',
        ).nullable(),
        'The audit log. Off when null.',
      ),
      null,
    ),
    max_size: field(
      leaf(
        size({ min: '64KiB', off: 'unlimited' }),
        'A file that would become larger is put aside, and a new one begins.',
      ),
      '64MiB',
    ),
    rotate_every: field(
      leaf(duration({ min: '1s', off: 'never' }), 'A new file begins as often; 1d is at midnight UTC.'),
      '1d',
    ),
    keep: field(
      leaf(
        count({ min: 1, max: 1_000 }),
        'Files kept beside the one that is written; older ones are deleted.',
      ),
      8,
    ),
  },
  'Written records of decisions.',
);
