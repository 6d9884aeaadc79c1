/** An engine of its own, to be killed: `node engine-process.ts FOLDER`; writes a line when it answers. */
import path from 'node:path';
import { startEngine } from '../../src/engine/engine.ts';
import { testParts, testPaths } from '../helpers/engine.ts';
import { fakeGuests } from './fake-guests.ts';

const [, , folder = ''] = process.argv;
await startEngine(testParts(testPaths(folder), fakeGuests(path.join(folder, 'guests'), 'processes')));
process.stdout.write('ready\n');
