/** Tests that boot guests: one file at a time on two cores, each file shares its guests among its tests. */
export default {
  files: ['test/vm/**/*.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
  concurrency: 1,
  serial: true,
  timeout: '5m',
};
