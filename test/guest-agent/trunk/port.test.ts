import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { linux } from '../../../guest-agent/sys/sys.ts';
import type { Sys } from '../../../guest-agent/sys/sys.ts';
import { findPort } from '../../../guest-agent/trunk/find-port.ts';
import { openPort } from '../../../guest-agent/trunk/port.ts';

/** A FIFO plays the device; `read` plays what virtio_console answers. */
function testPort(t: { teardown: (action: () => void) => void }, answers: (string | number | null)[]) {
  const folder = mkdtempSync(join(tmpdir(), 'nest-port-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const device = join(folder, 'device');
  linux.mknod(device, 0o010600, 0);
  const sys: Sys = {
    ...linux,
    read(_fd, buffer) {
      const answer = answers.shift() ?? null;
      return typeof answer === 'string' ? Buffer.from(answer).copy(buffer) : answer;
    },
  };
  return { port: openPort(sys, device, join(folder, 'spare')), answers, device };
}

test.serial('a host that is there is accepted with what it has sent so far', async (t) => {
  const { port } = testPort(t, ['abc', 'def', null]);
  const socket = await port.accept(Buffer.from('xyz'));
  t.is(String(socket.read()), 'xyzabcdef');
  socket.destroy();
  await once(socket, 'close');
});

test.serial('an absent host is waited for, by signal; its first bytes may come before the word of it', async (t) => {
  const { port, answers } = testPort(t, [0, 'early', 0, null]);
  // As the agent's unix socket does: listening for a signal alone keeps no process running.
  const alive = createServer().listen(0, '127.0.0.1');
  t.teardown(() => alive.close());
  const accepted = port.accept(Buffer.alloc(0));
  await new Promise((resolve) => setImmediate(resolve));
  t.is(answers.length, 3, 'it waits');
  process.kill(process.pid, 'SIGIO');
  while (answers.length > 1) await new Promise((resolve) => setImmediate(resolve));
  process.kill(process.pid, 'SIGIO');
  const socket = await accepted;
  t.is(String(socket.read()), 'early');
  socket.destroy();
  await once(socket, 'close');
});

test.serial('bytes pass in both directions', async (t) => {
  const { port } = testPort(t, [null]);
  const socket = await port.accept(Buffer.alloc(0));
  socket.write('there and back');
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  t.is(bytes.toString(), 'there and back');
  socket.destroy();
  await once(socket, 'close');
});

test('the port is found by its name, also when it comes later', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'nest-sysfs-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const [sys, dev] = [join(root, 'sys'), join(root, 'dev')];
  mkdirSync(dev);
  const add = (name: string, title: string) => {
    mkdirSync(join(sys, 'class/virtio-ports', name), { recursive: true });
    writeFileSync(join(sys, 'class/virtio-ports', name, 'name'), `${title}\n`);
    writeFileSync(join(dev, name), '');
  };
  add('vport1p1', 'other');
  const found = findPort('nest.agent.0', { sys, dev });
  add('vport1p2', 'nest.agent.0');
  t.is(await found, join(dev, 'vport1p2'));
  t.is(await findPort('nest.agent.0', { sys, dev }), join(dev, 'vport1p2'));
});
