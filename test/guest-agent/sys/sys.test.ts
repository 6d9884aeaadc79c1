import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import {
  AF_INET,
  EPOLL_CTL_ADD,
  EPOLLIN,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_SYMLINKS,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from '../../../guest-agent/sys/constants.ts';
import { linux } from '../../../guest-agent/sys/sys.ts';

/** What ordinary users may call is called for real: the signatures in ffi.ts are checked by what the kernel answers. */
const folder = mkdtempSync(join(tmpdir(), 'nest-sys-'));
test.after.always(() => rmSync(folder, { recursive: true }));

test('a device is told by its number', (t) => {
  const fd = linux.open('/dev/null', O_RDONLY | O_CLOEXEC);
  const { mode, device } = linux.fstat(fd);
  linux.close(fd);
  t.is(mode & S_IFMT, S_IFCHR);
  t.is(device, 0x103);
});

test('what is written to a pipe can be read, then nothing, then its end', (t) => {
  const [readEnd, writeEnd] = linux.pipe2(O_CLOEXEC | O_NONBLOCK);
  const buffer = Buffer.alloc(16);
  t.is(linux.write(writeEnd, Buffer.from('hello')), 5);
  t.is(linux.read(readEnd, buffer), 5);
  t.is(buffer.toString('utf8', 0, 5), 'hello');
  t.is(linux.read(readEnd, buffer), null);
  linux.close(writeEnd);
  t.is(linux.read(readEnd, buffer), 0);
  linux.close(readEnd);
});

test('a FIFO is a FIFO', (t) => {
  const path = join(folder, 'fifo');
  linux.mknod(path, S_IFIFO | 0o600, 0);
  const fd = linux.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  t.is(linux.fstat(fd).mode & S_IFMT, S_IFIFO);
  linux.close(fd);
});

test('a path seen from a root does not leave it', (t) => {
  writeFileSync(join(folder, 'inside'), 'inside');
  symlinkSync('/inside', join(folder, 'link'));
  const root = linux.open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  const fd = linux.openat2(root, '/../../link', O_RDONLY | O_CLOEXEC, RESOLVE_IN_ROOT);
  t.is(readFileSync(fd, 'utf8'), 'inside');
  t.throws(() => linux.openat2(root, '/link', O_RDONLY, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS), { message: /ELOOP/ });
  linux.close(fd);
  linux.close(root);
});

test('waiting tells which descriptor is ready and for what', (t) => {
  const [readEnd, writeEnd] = linux.pipe2(O_CLOEXEC | O_NONBLOCK);
  const epoll = linux.epollCreate();
  linux.epollControl(epoll, EPOLL_CTL_ADD, readEnd, EPOLLIN);
  linux.write(writeEnd, Buffer.from('x'));
  t.deepEqual(linux.epollWait(epoll), [{ fd: readEnd, events: EPOLLIN }]);
  t.true(linux.poll(readEnd, EPOLLIN, 0));
  linux.read(readEnd, Buffer.alloc(1));
  t.false(linux.poll(readEnd, EPOLLIN, 0));
  for (const fd of [epoll, readEnd, writeEnd]) linux.close(fd);
});

test('the working folder is the one that the kernel knows', (t) => t.is(linux.getcwd(), process.cwd()));

test('a socket that ignores a sender hears the others, until it hears it again', async (t) => {
  const socket = linux.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  // An address that no other test has, below the ports that sockets are given by themselves.
  const port = 20_000 + (process.pid % 12_000);
  linux.bindInet(socket, Buffer.of(127, 77, 0, 1), port);
  const send = async (address: string) => {
    const sender = createSocket('udp4').bind(0, address);
    await once(sender, 'listening');
    await promisify<string, number, string>(sender.send.bind(sender))(address, port, '127.77.0.1');
    sender.close();
  };
  const buffer = Buffer.alloc(16);
  const heard = () => (linux.read(socket, buffer.fill(0)) === null ? null : buffer.toString('utf8', 0, 9));
  linux.ignoreSenders(socket, [Buffer.of(127, 0, 0, 9), Buffer.of(127, 0, 0, 2)]);
  for (const address of ['127.0.0.2', '127.0.0.3']) await send(address);
  t.deepEqual([heard(), heard()], ['127.0.0.3', null]);
  linux.ignoreSenders(socket, []);
  await send('127.0.0.2');
  t.is(heard(), '127.0.0.2');
  linux.close(socket);
});
