import test from 'ava';
import { type VolumeRequest, volumeRequests } from '../../src/engine/volumes/request.ts';
import type { Image } from '../../src/images/images.ts';

const requests = (paths: string[], volumes: VolumeRequest[] = [], tmpfs: string[] = [], reuse = {}) =>
  volumeRequests({ volumes, reuse, settings: { tmpfs: tmpfs.map((destination) => ({ destination, options: [] })) } }, {
    config: { Volumes: Object.fromEntries(paths.map((path) => [path, {}])) },
  } as unknown as Image);
const asked = { name: 'data', destination: '/srv', readOnly: true, copy: true, size: null, labels: {} };

test('each VOLUME of an image is one volume, unless something else is mounted there', (t) => {
  const made = requests(['/srv/', '/a//b', '/a/./b/', '/run/x'], [asked], ['/run/x/'], { '/a/b': 'earlier' });
  t.deepEqual(
    made.map(({ name, destination }) => [destination, name]),
    [
      ['/srv', 'data'],
      ['/a/b', 'earlier'],
    ],
  );
});

test('an image has no VOLUME on what is the kernel’s, outside of its root, or without bound', (t) => {
  for (const path of ['/', 'relative', '/a/../../etc', '/proc', '/sys/fs/cgroup', '/./proc/sys'])
    t.throws(() => requests([path]), { message: /invalid volume specification: 'VOLUME / }, path);
  t.throws(() => requests(Array.from({ length: 65 }, (_, at) => `/v${at}`)), { message: /65 volumes.* can have 64/ });
});
