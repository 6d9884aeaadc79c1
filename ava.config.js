/** Unit tests: no root, no guests, seconds. */
export default {
  files: ['test/**/*.test.ts', '!test/vm/**', '!test/slow/**'],
  extensions: ['ts'],
  workerThreads: false,
  nodeArguments: ['--disable-warning=ExperimentalWarning'],
  timeout: '60s',
};
