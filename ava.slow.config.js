/** Boots guests for minutes: whole services, hundreds of containers, other runtimes, a libvirtd or a user of its own. */
import vm from './ava.vm.config.js';

export default { ...vm, files: ['test/slow/**/*.test.ts'] };
