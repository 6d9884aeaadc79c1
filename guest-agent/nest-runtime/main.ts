import { writeSync } from 'node:fs';
import { parseArguments } from './arguments.ts';
import { COMMANDS } from './commands.ts';
import { reportError } from './log.ts';

/**
 * `nest-runtime`: this runtime as an OCI runtime on the command line, for Podman, containerd and people. Takes the options of
 * runc(8). To be started with `--single-threaded --v8-pool-size=0 --disable-sigusr1`: a container is a fork of this process.
 */
const call = parseArguments(process.argv.slice(2));
if ('usage' in call) {
  writeSync(call.failed ? 2 : 1, call.usage);
  process.exit(call.failed ? 1 : 0);
}
try {
  process.exitCode = (await COMMANDS[call.command].run(call)) ?? 0;
} catch (error) {
  reportError(call.options, error);
  process.exitCode = 1;
}
