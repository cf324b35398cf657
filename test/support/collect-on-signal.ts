/**
 * Preloaded into a server under test (`--expose-gc --import`): SIGUSR2 makes it
 * collect its garbage and say `collected`, so that what is left can be measured.
 */
process.on('SIGUSR2', () => {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  process.stderr.write('collected\n');
});
