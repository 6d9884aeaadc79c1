import test from 'ava';
import { parsePrintedUris } from '../../src/guest-image/debian-packages.ts';

const HASH = 'a'.repeat(64);

test('a printed address gives name, file, size and hash, and is not kept', (t) => {
  const output = `'http://deb.test/pool/b_1.deb' busybox-static_1%3a1.35.0-4+b1_amd64.deb 928188 SHA256:${HASH}\n`;
  t.deepEqual(parsePrintedUris(output), [
    { name: 'busybox-static', file: 'busybox-static_1%3a1.35.0-4+b1_amd64.deb', size: 928188, sha256: HASH },
  ]);
});

test('packages are in order of their names, whatever apt prints first', (t) => {
  const line = (name: string) => `'http://deb.test/x' ${name}_1_amd64.deb 1 SHA256:${HASH}`;
  const names = parsePrintedUris([line('zlib1g'), line('libc6'), line('libstdc++6')].join('\n')).map(
    ({ name }) => name,
  );
  t.deepEqual(names, ['libc6', 'libstdc++6', 'zlib1g']);
});

test('a line without a SHA-256, or with a path for a file name, is no package', (t) => {
  t.deepEqual(parsePrintedUris(`'http://deb.test/x' a_1_amd64.deb 1 MD5Sum:abc`), []);
  t.deepEqual(parsePrintedUris(`'http://deb.test/x' ../a_1_amd64.deb 1 SHA256:${HASH}`), []);
});
