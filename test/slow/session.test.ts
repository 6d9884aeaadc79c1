/** Everything as an ordinary user, whose libvirt is qemu:///session. */
import test from 'ava';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { busyboxImage } from '../helpers/images.ts';
import { openNest } from '../helpers/nest.ts';
import { ordinaryUser } from '../helpers/ordinary-user.ts';

const IMAGE = 'localhost/busybox:test';

test.serial('an ordinary user boots a guest, runs a container in it and deletes it', async (t) => {
  const user = await ordinaryUser();
  const nest = await openNest(user.env, user);
  t.teardown(async () => {
    await nest.close();
    await user.close();
  });
  const fixture = await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE });
  await nest.ok('image', 'load', fixture);
  t.like(await nest.json('engine', 'status'), { uri: 'qemu:///session' });

  t.is(await nest.ok('run', '--rm', '--zone', 'mine', IMAGE, 'id', '-u'), '0');
  await nest.ok('run', '-d', '--name', 'web', '--zone', 'mine', IMAGE, 'sleep', '1000');
  t.is(await nest.ok('exec', 'web', 'echo', 'hello'), 'hello');
  const [guest] = (await nest.json('vm', 'list')) as { name: string }[];
  t.like(guest, { name: 'mine-1', state: 'running' });

  await nest.ok('vm', 'delete', '--force', 'mine-1');
  t.deepEqual(await nest.json('vm', 'list'), []);
  t.deepEqual(await nest.json('ps', '-a'), []);
  t.deepEqual(await readdir(nest.paths.guests), []);
});

test.serial('no permission for qemu:///system is one clear error, and nothing is left', async (t) => {
  const user = await ordinaryUser();
  const nest = await openNest({ ...user.env, NEST_LIBVIRT_URI: 'qemu:///system' }, user);
  t.teardown(async () => {
    await nest.run(['engine', 'stop']);
    await user.close();
  });
  await mkdir(path.join(nest.paths.data, 'fixture'));
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
  const outcome = await nest.run(['run', '-d', IMAGE, 'true']);
  t.not(outcome.exitCode, 0);
  const said = outcome.stderr.split('\n').filter((line) => /^(Error|Hint):/.test(line));
  t.regex(said[0] ?? '', /^Error: connect to libvirt `qemu:\/\/\/system`: /);
  t.regex(said.join('\n'), /group `libvirt`/);
  t.false((await readdir(nest.paths.data)).includes('guests'));
});
