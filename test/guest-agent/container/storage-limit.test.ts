import { mkdirSync, statSync } from 'node:fs';
import test from 'ava';
import { limitStorage } from '../../../guest-agent/container/storage-limit.ts';
import { containerFolders } from '../../../guest-agent/folders.ts';
import type { Kernel } from '../../../guest-agent/runtime.ts';
import { SystemError } from '../../../guest-agent/sys/system-error.ts';
import { fakeKernel } from '../fake-kernel.ts';
import { shell, testFolders } from '../fixture.ts';

const SPEC = shell('true', {
  storageLimit: 1 << 20,
  copies: [{ destination: '/a' }, { destination: '/b', readOnly: true }],
});

test('the folders that a container writes to are one project with the number of its folder', (t) => {
  const { folder, folders } = testFolders(t);
  const { state, upper, work, etc, copies } = containerFolders(folders, SPEC.id);
  mkdirSync(upper, { recursive: true });
  const asked: unknown[] = [];
  const limitTrees: Kernel['limitTrees'] = (...all) => asked.push(...all);
  const runtime = { folders, kernel: { ...fakeKernel(folder), limitTrees } };
  limitStorage(runtime, SPEC);
  limitStorage(runtime, { ...SPEC, copies: [], network: { mode: 'none' } });
  const { ino } = statSync(state);
  t.deepEqual(asked, [[upper, work, `${copies}/0`], ino, 1 << 20, [upper, work, etc], ino, 1 << 20]);
});

const failing: [title: string, limitTrees: Kernel['limitTrees'], expected: object][] = [
  ['a disk without quotas', () => fail(3), { status: 409, message: /writes: the disk of this guest keeps no quotas/ }],
  ['a file system without projects', () => fail(95), { status: 409, message: /keeps no quotas/ }],
  ['a kernel without quotas', () => fail(38), { status: 409, message: /keeps no quotas/ }],
  ['a disk that is full', () => fail(28), { errno: 'ENOSPC' }],
  ['more copied than it may hold', () => 2 << 20, { status: 400, message: /2097152 bytes were copied .* 1048576/ }],
];
for (const [title, limitTrees, expected] of failing)
  test(`refused: ${title}`, (t) => {
    const { folder, folders } = testFolders(t);
    mkdirSync(containerFolders(folders, SPEC.id).upper, { recursive: true });
    const error = t.throws(() => limitStorage({ folders, kernel: { ...fakeKernel(folder), limitTrees } }, SPEC));
    t.like(error, Object.fromEntries(Object.entries(expected).filter(([name]) => name !== 'message')));
    if ('message' in expected) t.regex(error.message, expected.message as RegExp);
  });

function fail(code: number): never {
  throw new SystemError('set quota', '7', code);
}
