import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { Security } from '../../guest-agent/api.ts';
import { type AgentGuest, openAgentGuest, program } from '../helpers/agent-guest.ts';
import { readAll } from '../guest-agent/client.ts';

const run = promisify(execFile);

let guest: AgentGuest;

test.before(async () => {
  guest = await openAgentGuest('storage');
});

test.after.always(() => guest.close());

const SIZE = 16 << 20;
const remove = (id: string) => guest.trunk.send({ method: 'DELETE', path: `/v1/containers/${id}?force=1` });
const sh = async (id: string, command: string) =>
  (await guest.exec(id, ['sh', '-c', `{ ${command}; } 2>&1`])).out.trim();
/** Bytes of the file that as many MiB could be written to. */
const fill = (id: string, mebibytes: number, file = '/file') =>
  sh(id, `dd if=/dev/zero of=${file} bs=1M count=${mebibytes} conv=fsync; stat -c %s ${file}`);

test.serial(
  'a container writes as much as its limit and no more, and sees that in df; another is untouched',
  async (t) => {
    const bound = guest.shell('exec sleep 1000', { storageLimit: SIZE });
    const free = guest.shell('exec sleep 1000');
    await guest.start(bound);
    await guest.start(free);

    t.regex(await sh(bound.id, 'df -k /'), /\s16384\s/);
    const out = await fill(bound.id, 17);
    t.regex(out, /Disk quota exceeded/);
    const written = Number(out.split('\n').at(-1));
    t.true(written > 15 << 20 && written < SIZE, out);
    t.regex(await sh(bound.id, 'mkdir -p /deep/er; dd if=/dev/zero of=/deep/er/file bs=1M count=1'), /quota exceeded/i);
    t.regex(await fill(free.id, 17), new RegExp(`\\n${17 << 20}$`));

    await guest.restartAgent();
    t.regex(await fill(bound.id, 17, '/again'), /quota exceeded/i, 'the limit outlives the agent');
    await sh(bound.id, 'rm -r /file /again /deep');
    t.regex(await fill(bound.id, 12), new RegExp(`\\n${12 << 20}$`), 'what is deleted is free again');
    await remove(free.id);
    await remove(bound.id);
  },
);

test.serial('neither a file nor a folder gets out of the limit, whatever seccomp profile and rights', async (t) => {
  const layers = [guest.layer.diffId, await guest.addLayer(program('/usr/bin/chattr'))];
  const kinds: Security[] = [{}, { seccomp: 'unconfined' }, { capabilities: ['SYS_RESOURCE', 'DAC_OVERRIDE'] }];
  for (const security of kinds) {
    const bound = guest.shell('mkdir /out; exec sleep 1000', { layers, storageLimit: SIZE, security });
    await guest.start(bound);
    t.regex(await sh(bound.id, 'until test -e /out; do sleep 0.1; done; chattr -P /out'), /Operation not permitted/);
    t.regex(await sh(bound.id, 'chattr -p 0 /out'), /Operation not permitted/);
    t.regex(await fill(bound.id, 17, '/out/file'), /quota exceeded/i, JSON.stringify(security));
    await remove(bound.id);
  }
});

test.serial('what was copied for a container to write to counts; what is too much is refused', async (t) => {
  const copy = async (id: string, bytes: number) => {
    const stream = await guest.trunk.open({ method: 'POST', path: `/v1/copies/${id}/0` });
    stream.end(await archive(bytes));
    t.is((await readAll(stream)).toString(), '{}');
  };
  const copies = [{ destination: '/data' }];
  const bound = guest.shell('exec sleep 1000', { storageLimit: SIZE, copies });
  await copy(bound.id, 10 << 20);
  await guest.start(bound);
  t.regex(await fill(bound.id, 7), /quota exceeded/i);
  t.regex(await sh(bound.id, 'rm /file; cat /data/data /data/data > /data/more'), /quota exceeded/i);
  await remove(bound.id);

  const full = guest.shell('true', { storageLimit: SIZE, copies });
  await copy(full.id, 20 << 20);
  await t.throwsAsync(guest.start(full), { message: /limit what container .* writes: \d+ bytes were copied/ });
  await remove(full.id);
});

test.serial('the files in /etc count, and those of another container cannot be written to', async (t) => {
  const bound = guest.shell('exec sleep 1000', { storageLimit: SIZE, network: { mode: 'none' } });
  await guest.start(bound);
  const out = await fill(bound.id, 17, '/etc/hosts');
  t.regex(out, /quota exceeded/i);
  t.true(Number(out.split('\n').at(-1)) < SIZE, out);
  t.regex(await fill(bound.id, 1), /quota exceeded/i, 'in one with its other files');
  t.is(await sh(bound.id, 'echo 127.0.0.1 own > /etc/hosts; cat /etc/hosts'), '127.0.0.1 own');

  const free = guest.shell('exec sleep 1000', { network: { mode: 'none' } });
  await guest.start(free);
  const network = { mode: 'container' as const, container: free.id };
  const joined = guest.shell('exec sleep 1000', { storageLimit: SIZE, network });
  await guest.start(joined);
  for (const file of ['hosts', 'hostname', 'resolv.conf'])
    t.regex(await sh(joined.id, `echo more >> /etc/${file}`), /Read-only file system/);
  await remove(joined.id);
  const unbound = guest.shell('echo 127.0.0.1 shared >> /etc/hosts', { network });
  t.like(await guest.run(unbound), { exitCode: 0 });
  t.regex(await sh(free.id, 'cat /etc/hosts'), /127\.0\.0\.1 shared$/, 'they are those of both');
  for (const { id } of [unbound, free, bound]) await remove(id);
});

/** A tar of a folder `content` with one file. */
async function archive(bytes: number): Promise<Buffer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-storage-'));
  try {
    await mkdir(path.join(folder, 'content'));
    await writeFile(path.join(folder, 'content/data'), randomBytes(bytes));
    const options = { encoding: 'buffer' as const, maxBuffer: 2 * bytes + (1 << 20) };
    return (await run('tar', ['-C', folder, '-cf', '-', 'content'], options)).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}
