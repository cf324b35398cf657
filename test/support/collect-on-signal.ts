import v8 from 'node:v8';

/**
 * Preloaded into a server under test (`--expose-gc --import`): SIGUSR2 makes it
 * collect its garbage and write `collected USED RESIDENT`, so that what is left
 * can be measured. USED are bytes of live JavaScript objects, RESIDENT those of
 * the heap that holds them, free room in it included.
 */
process.on('SIGUSR2', () => {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  const { used_heap_size, total_physical_size } = v8.getHeapStatistics();
  process.stderr.write(`collected ${used_heap_size} ${total_physical_size}\n`);
});
