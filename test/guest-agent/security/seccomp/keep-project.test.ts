import test from 'ava';
import { seccompFilter } from '../../../../guest-agent/security/seccomp/choose.ts';
import { keepProject } from '../../../../guest-agent/security/seccomp/keep-project.ts';
import { runFilter } from '../../../helpers/run-filter.ts';

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const [X86_64, I386] = [0xc000003e, 0x40000003];
const SETS_PROJECT = [0x401c5820n, 0x40086602n, 0x40046602n];

const DEFAULT = seccompFilter(undefined, []);
const program = (filter: Parameters<typeof keepProject>[0]) => Buffer.from(keepProject(filter).program, 'base64');

test('no way of ioctl changes a project, nor who inherits it, under any filter', (t) => {
  for (const filter of [null, DEFAULT])
    for (const [architecture, call] of [
      [X86_64, 16],
      [X86_64, 0x40000000 + 514],
      [I386, 54],
    ] as const)
      for (const request of SETS_PROJECT)
        for (const upper of [0n, 1n << 32n])
          t.is(runFilter(program(filter), { architecture, call, args: [3n, request | upper] }), EPERM);
});

test('all else is decided as without it', (t) => {
  const before = Buffer.from(DEFAULT?.program ?? '', 'base64');
  for (const architecture of [X86_64, I386, 0xc00000b7])
    for (let call = 0; call < 500; call += 1)
      for (const request of [0n, 0x5401n, 0x801c581fn]) {
        const asked = { architecture, call, args: [3n, request, 0n, 0n, 0n, 0n] };
        t.is(runFilter(program(DEFAULT), asked), runFilter(before, asked), `${architecture} ${call}`);
        t.is(runFilter(program(null), asked), ALLOW);
      }
});
