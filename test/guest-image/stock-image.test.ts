import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import test from 'ava';
import { addStockImage, findStockImage, removeStockImage, stockImages } from '../../src/guest-image/stock-image.ts';
import { nestPaths, type Paths } from '../../src/paths.ts';
import { silent } from '../../src/progress.ts';
import { folderOf } from './folder.ts';

const add = (paths: Paths, name: string, content: Readable) =>
  addStockImage(paths, name, content, { progress: silent });
const qemuImg = (...parameters: string[]) => promisify(execFile)('qemu-img', parameters);

/** A disk with a boot sector. */
function disk(filling: number): Buffer {
  const bytes = Buffer.alloc(1024 * 1024, filling);
  bytes.writeUInt16LE(0xaa55, 510);
  return bytes;
}

test('a raw disk becomes a qcow2 that nobody may write, named by what was added', async (t) => {
  const paths = nestPaths({ NEST_DATA_DIR: await folderOf(t) });
  const image = await add(paths, 'debian', Readable.from([disk(1)]));
  t.is((await stat(image.disk)).mode & 0o777, 0o444);
  t.like(JSON.parse((await qemuImg('info', '--output=json', image.disk)).stdout), { format: 'qcow2' });
  t.deepEqual(await findStockImage(paths, 'debian'), image);
  t.deepEqual(await readdir(paths.stockImages), ['debian'], 'nothing of the upload is left');
});

test('a name means what was added last, and what guests may use stays', async (t) => {
  const paths = nestPaths({ NEST_DATA_DIR: await folderOf(t) });
  const first = await add(paths, 'debian', Readable.from([disk(1)]));
  const second = await add(paths, 'debian', Readable.from([disk(2)]));
  t.not(second.digest, first.digest);
  t.is((await stockImages(paths)).length, 2);
  t.is((await add(paths, 'debian', Readable.from([disk(1)]))).disk, first.disk);
  await removeStockImage(paths, 'debian');
  await removeStockImage(paths, 'debian');
  await t.throwsAsync(findStockImage(paths, 'debian'), { message: /`debian`: there is none of that name/ });
});

test('what cannot boot, or would show the guest another file of the host, is refused and leaves nothing', async (t) => {
  const folder = await folderOf(t);
  const paths = nestPaths({ NEST_DATA_DIR: path.join(folder, 'data') });
  const [secret, over, outside] = ['secret', 'over.qcow2', 'outside.qcow2'].map((name) => path.join(folder, name));
  await writeFile(secret ?? '', disk(7));
  await qemuImg('create', '-q', '-f', 'qcow2', '-b', secret ?? '', '-F', 'raw', over ?? '');
  await qemuImg('create', '-q', '-f', 'qcow2', '-o', `data_file=${secret},data_file_raw=on`, outside ?? '', '1M');
  const refused = (content: Readable, message: RegExp) =>
    t.throwsAsync(add(paths, 'debian', content), { code: 'image-invalid', message });
  await refused(Readable.from(['#!/bin/sh\n']), /it is no disk that can boot/);
  await refused(Readable.from([Buffer.alloc(4096)]), /it is no disk that can boot/);
  const text = `# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 2048 FLAT "${secret}" 0\n`;
  await refused(Readable.from([text]), /it is of format vmdk/);
  await refused(createReadStream(over ?? ''), /it needs another file/);
  await refused(createReadStream(outside ?? ''), /it needs another file/);
  await t.throwsAsync(add(paths, '../up', Readable.from([disk(1)])), { code: 'invalid-input' });
  t.deepEqual(await stockImages(paths), []);
  t.deepEqual(await readdir(paths.stockImages), []);
  t.is((await readFile(secret ?? '')).length, 1024 * 1024);
});
