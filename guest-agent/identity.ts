import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import type { Identity } from './api.ts';
import { serialQueue } from './container/queue.ts';
import { conflict } from './errors.ts';
import { type Folders, identityFile } from './folders.ts';
import type { Machine } from './machine.ts';

/** Who this guest is, once it was told. */
export interface Self {
  /** Whether it may run anything. */
  readonly known: boolean;
  /** Null without an identity. */
  bootId(): string | null;
  /** Takes the identity. Repeating it feeds entropy and sets the clock again. */
  take(identity: Identity): Promise<void>;
  /** Acts as if it had one, until `endRehearsal`: what is done once in a template is warm in all its clones. */
  rehearse(identity: Identity): Promise<void>;
  endRehearsal(): Promise<void>;
}

/**
 * Finds the identity that an earlier agent of this boot took.
 *
 * @param settle takes up what is on the guest's disk; called when it is mounted, unless an earlier agent mounted it
 */
export function openSelf(folders: Folders, machine: Machine, settle: () => Promise<void>): Self {
  const inTurn = serialQueue();
  let name = readName(identityFile(folders));
  let settled = name !== undefined;
  let state: 'nobody' | 'rehearsing' | 'known' = name === undefined ? 'nobody' : 'known';
  const become = async ({ hostname, machineId, entropy, now }: Identity): Promise<void> => {
    machine.feedEntropy(Buffer.from(entropy, 'base64'));
    machine.setClock(now);
    machine.setHostname(hostname);
    machine.writeMachineId(machineId);
    if (settled) return;
    mkdirSync(folders.state, { recursive: true, mode: 0o700 });
    machine.mountState(folders.state);
    await settle();
    settled = true;
  };
  return {
    get known() {
      return state !== 'nobody';
    },
    bootId: () => (state === 'known' ? machine.bootId() : null),
    take: (identity) =>
      inTurn(async () => {
        const { hostname, machineId } = identity;
        if (state === 'rehearsing') throw conflict(`become guest \`${hostname}\`: a rehearsal is going on`);
        if (name !== undefined && (name.hostname !== hostname || name.machineId !== machineId))
          throw conflict(`become guest \`${hostname}\`: this is guest ${name.hostname}`);
        await become(identity);
        name = { hostname, machineId };
        writeWhole(identityFile(folders), JSON.stringify(name));
        state = 'known';
      }),
    rehearse: (identity) =>
      inTurn(async () => {
        if (state !== 'nobody') throw conflict('rehearse: this guest has an identity');
        await become(identity);
        state = 'rehearsing';
      }),
    endRehearsal: () =>
      inTurn(async () => {
        if (state !== 'rehearsing') return;
        // It stays mounted: clones have a copy of this disk.
        await machine.syncState(folders.state);
        state = 'nobody';
      }),
  };
}

function readName(path: string): v.InferOutput<typeof Name> | undefined {
  try {
    return v.parse(Name, JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const Name = v.object({ hostname: v.string(), machineId: v.string() });
