import test from 'ava';
import { parseOptions } from '../../../guest-agent/rootfs/mount-options.ts';
import {
  MOUNT_ATTR_ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_NODEV,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_SLAVE,
} from '../../../guest-agent/sys/constants.ts';

test('flags are flags, and what no table has is the file system’s own', (t) => {
  t.like(parseOptions(['nosuid', 'nodev', 'mode=755', 'size=64k']), {
    flags: MS_NOSUID | MS_NODEV,
    data: 'mode=755,size=64k',
  });
});

test('later options win', (t) => {
  t.like(parseOptions(['ro', 'rw']), { flags: 0, attributes: { set: 0, clear: MOUNT_ATTR_RDONLY } });
  t.like(parseOptions(['rw', 'ro']), { flags: MS_RDONLY, attributes: { set: MOUNT_ATTR_RDONLY, clear: 0 } });
});

test('a bind mount has attributes, of its own and of all below it', (t) => {
  const options = parseOptions(['rbind', 'nosuid', 'rro', 'noatime']);
  t.true(options.bind);
  t.is(options.flags & (MS_BIND | MS_REC), MS_BIND | MS_REC);
  t.deepEqual(options.attributes, { set: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME, clear: MOUNT_ATTR_ATIME });
  t.deepEqual(options.recursive, { set: MOUNT_ATTR_RDONLY, clear: 0 });
});

test('propagation modes keep their order', (t) => {
  t.deepEqual(parseOptions(['rprivate', 'slave']).propagation, [MS_PRIVATE | MS_REC, MS_SLAVE]);
});
