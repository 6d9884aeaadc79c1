import { readFile, writeFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import { guestPaths, type Paths } from '../../paths.ts';
import type { SshAccess } from '../../ssh/log-in.ts';
import type { GuestRecord } from '../record.ts';

/**
 * Both ends of the SSH connection to one guest, in OpenSSH's formats: what the engine logs in with, and what the guest's
 * sshd shows that it is the guest. nest makes both, so nobody has to be trusted on first use.
 */
export type SshKeys = v.InferOutput<typeof SshKeys>;

/** Makes a guest's keys; they are in a file that this user alone can read. */
export async function makeKeys(paths: Paths, guestId: string): Promise<SshKeys> {
  const pair = (comment: string) => ssh2.utils.generateKeyPairSync('ed25519', { comment });
  const [user, host] = [pair('nest'), pair(`nest guest ${guestId}`)];
  const keys: SshKeys = {
    user: { private: user.private, public: user.public },
    host: { private: host.private, public: host.public },
  };
  await writeFile(guestPaths(paths, guestId).sshKeys, JSON.stringify(keys), { mode: 0o600 });
  return keys;
}

/** @throws NestError `unsupported` for a guest without sshd */
export async function sshAccess(paths: Paths, { id, name, stock }: GuestRecord): Promise<SshAccess> {
  if (stock === null)
    throw new NestError('unsupported', `log in to guest \`${name}\`: it boots nest's own image, which has no sshd`, {
      hint: `A shell in a container: nest exec -it CONTAINER sh; what the guest writes: nest vm console ${name}`,
    });
  const { user, host } = v.parse(SshKeys, JSON.parse(await readFile(guestPaths(paths, id).sshKeys, 'utf8')));
  return { privateKey: user.private, hostKey: host.public };
}

const Pair = v.object({ private: v.string(), public: v.string() });
const SshKeys = v.object({ user: Pair, host: Pair });
