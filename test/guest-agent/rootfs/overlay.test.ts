import test from 'ava';
import { overlayOptions } from '../../../guest-agent/rootfs/overlay.ts';

test('layers come topmost first', (t) => {
  t.is(
    overlayOptions({ layers: ['top', 'base'], upper: '/c/upper', work: '/c/work' }),
    'lowerdir=top:base,upperdir=/c/upper,workdir=/c/work',
  );
});

test('characters that would end a layer or an option are escaped', (t) => {
  t.is(
    overlayOptions({ layers: ['a:b', 'c,d'], upper: '/e\\f', work: '/w' }),
    'lowerdir=a\\:b:c\\,d,upperdir=/e\\\\f,workdir=/w',
  );
});

test('as many layers as an image may have fit into the page that the kernel reads', (t) => {
  const folders = { upper: `/var/lib/nest/containers/${'0'.repeat(64)}/upper`, work: '/work' };
  t.notThrows(() => overlayOptions({ layers: Array<string>(127).fill('0123456789ab'), ...folders }));
  t.throws(() => overlayOptions({ layers: Array<string>(400).fill('0123456789ab'), ...folders }), {
    message: 'mount `overlay of 400 layers`: ENAMETOOLONG',
  });
});
