import test from 'ava';
import { DEFAULT_CAPABILITIES, capabilityMask } from '../../../guest-agent/security/capability-names.ts';
import { becomeUser, boundCapabilities, capabilitiesOf } from '../../../guest-agent/security/capabilities.ts';
import { recordingSys } from '../sys/recording-sys.ts';

/** Numbers of include/uapi/linux/capability.h. */
const DEFAULT = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  FOWNER: 3,
  FSETID: 4,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  NET_BIND_SERVICE: 10,
  NET_RAW: 13,
  SYS_CHROOT: 18,
  MKNOD: 27,
  AUDIT_WRITE: 29,
  SETFCAP: 31,
};

test('the default set has fourteen capabilities', (t) => {
  const mask = Object.values(DEFAULT).reduce((bits, number) => bits | (1n << BigInt(number)), 0n);
  t.is(mask.toString(16), capabilityMask(DEFAULT_CAPABILITIES));
  t.is(capabilityMask(DEFAULT_CAPABILITIES), 'a80425fb');
});

test('every capability that the kernel has and the set has not is dropped from the bounding set', (t) => {
  const { sys, calls } = recordingSys();
  boundCapabilities(sys, capabilityMask(DEFAULT_CAPABILITIES));
  const kept: number[] = Object.values(DEFAULT);
  const all = Array.from({ length: 42 }, (_, number) => number); // 41 is the first that it does not have
  t.deepEqual(
    calls,
    all.filter((number) => !kept.includes(number)).map((number) => `dropFromBoundingSet ${number}`),
  );
});

test('groups come before the user, who may not change them any more', (t) => {
  const { sys, calls } = recordingSys();
  becomeUser(sys, { uid: 0, gid: 5, groups: [1, 2] }, capabilitiesOf(0, '3'));
  t.deepEqual(calls, ['setgroups 1,2', 'setgid 5', 'setuid 0', 'capset 3 3 0']);
});

test('another user keeps the capabilities that a configuration gives it, and ambient ones are raised one by one', (t) => {
  const { sys, calls } = recordingSys();
  const sets = { bounding: '3', effective: '2', permitted: '3', inheritable: '3', ambient: '3' };
  becomeUser(sys, { uid: 7, gid: 5, groups: [] }, sets);
  t.deepEqual(calls, [
    'prctl 8 1',
    'setgroups ',
    'setgid 5',
    'setuid 7',
    'capset 2 3 3',
    'prctl 47 2 0',
    'prctl 47 2 1',
  ]);
});
