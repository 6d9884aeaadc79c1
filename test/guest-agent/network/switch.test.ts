import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openSwitch } from '../../../guest-agent/network/switch.ts';
import { attribute } from '../../../guest-agent/network/netlink.ts';
import type { Sys } from '../../../guest-agent/sys/sys.ts';
import { testFolders } from '../fixture.ts';
import { failing, recordingSys } from '../sys/recording-sys.ts';

/** One that an earlier agent made. */
function found(t: ExecutionContext, answers: Partial<Sys>) {
  const file = join(testFolders(t).folder, 'switch');
  writeFileSync(file, '');
  const { sys, calls } = recordingSys({ fileSystem: () => NSFS_MAGIC, ...answers });
  const opened = openSwitch(sys, file);
  calls.length = 0;
  return { opened, calls };
}

test('a socket that cannot be bound is closed, and the agent is back where it was', (t) => {
  const { opened, calls } = found(t, { bindInet: failing('EACCES') });
  t.throws(() => opened.openDatagramSocket('br-x', '10.89.1.1', 53), { message: /EACCES/ });
  t.deepEqual(
    calls.map((call) => call.split(' ')[0]),
    ['setns', 'socket', 'bindToDevice', 'bindInet', 'close', 'setns'],
  );
  t.is(calls[4], 'close 13');
});

test('a bridge that was half made is completed', (t) => {
  const answers = [acknowledge(17), link('br-x', 7), done(), acknowledge(17)];
  const sent: Buffer[] = [];
  const { opened } = found(t, {
    read: (_, buffer) => answers.shift()?.copy(buffer) ?? 0,
    write: (_, bytes) => sent.push(Buffer.from(bytes)),
  });
  t.is(opened.makeBridge('br-x', '10.89.1.1', 24), 7);
  t.deepEqual(
    sent.map((bytes) => bytes.readUInt16LE(4)),
    [RTM_NEWLINK, RTM_GETLINK, RTM_NEWADDR],
  );
  answers.push(acknowledge(1));
  t.throws(() => opened.makeBridge('br-x', '10.89.1.1', 24), { message: 'make bridge `br-x`: EPERM' });
});

function message(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(type, 4);
  return Buffer.concat([header, body]);
}

/** NLMSG_ERROR with struct nlmsgerr; 0 is none. */
function acknowledge(errno: number): Buffer {
  const body = Buffer.alloc(20);
  body.writeInt32LE(-errno, 0);
  return message(2, body);
}

const done = () => message(3, Buffer.alloc(4));

/** struct ifinfomsg and IFLA_IFNAME. */
function link(name: string, index: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(index, 4);
  return message(RTM_NEWLINK, Buffer.concat([header, attribute(3, name)]));
}

const NSFS_MAGIC = 0x6e736673;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
