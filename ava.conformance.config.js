/** Comparisons with other runtimes in a guest: minutes, so they are no part of `npm test`. */
import vm from './ava.vm.config.js';

export default { ...vm, files: ['test/conformance/**/*.test.ts'] };
