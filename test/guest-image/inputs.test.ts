import test from 'ava';
import { digestOf, type Inputs } from '../../src/guest-image/inputs.ts';

const libc = { name: 'libc6', file: 'libc6_2.36_amd64.deb', size: 1, sha256: 'aa' };
const inputs: Inputs = { project: 'p', kernelPackage: 'linux-image-6.1', packages: [libc] };

for (const [what, changed] of Object.entries<Inputs>({
  'recipe or npm package': { ...inputs, project: 'q' },
  kernel: { ...inputs, kernelPackage: 'linux-image-6.2' },
  "package's version": { ...inputs, packages: [{ ...libc, file: 'libc6_2.37_amd64.deb' }] },
  "package's content": { ...inputs, packages: [{ ...libc, sha256: 'bb' }] },
})) {
  test(`another ${what} is another image`, (t) => t.not(digestOf(changed), digestOf(inputs)));
}

test('equal inputs are the same image', (t) => t.is(digestOf(structuredClone(inputs)), digestOf(inputs)));
