/** Entry of libvirt's two kinds of threads. */
import { parentPort, workerData } from 'node:worker_threads';
import { runEventLoop } from './event-loop.ts';
import { serve } from './serve.ts';

export type WorkerRole = { role: 'calls'; uri: string } | { role: 'events' };

if (!parentPort) throw new Error('worker.ts runs in a worker thread');
const given = workerData as WorkerRole;
if (given.role === 'calls') serve(parentPort, given.uri);
else runEventLoop(parentPort);
