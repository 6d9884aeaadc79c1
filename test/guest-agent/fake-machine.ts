import { randomUUID } from 'node:crypto';
import type { Machine } from '../../guest-agent/machine.ts';

export interface FakeMachine extends Machine {
  /** What was done to it, in order, e.g. `hostname web-1`. */
  readonly done: string[];
}

export function fakeMachine(): FakeMachine {
  const done: string[] = [];
  const note = (text: string) => void done.push(text);
  const bootId = randomUUID();
  return {
    done,
    feedEntropy: (bytes) => note(`entropy ${bytes.length}`),
    setClock: (milliseconds) => note(`clock ${milliseconds}`),
    setHostname: (name) => note(`hostname ${name}`),
    writeMachineId: (id) => note(`machine-id ${id}`),
    mountState: () => note('mount'),
    syncState() {
      note('sync');
      return Promise.resolve();
    },
    bootId: () => bootId,
    powerOff: () => note('power off'),
  };
}

/** As an engine would tell it. */
export const IDENTITY = {
  hostname: 'web-1',
  machineId: 'ab'.repeat(16),
  entropy: Buffer.alloc(64, 7).toString('base64'),
  now: 1_700_000_000_123,
};
