import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WorkerRole } from './worker.ts';

/** Starts worker.ts, or worker.js where this file was compiled. */
export function startThread(role: WorkerRole): Worker {
  return new Worker(new URL(`./worker${path.extname(import.meta.url)}`, import.meta.url), { workerData: role });
}
