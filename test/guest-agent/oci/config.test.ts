import test from 'ava';
import { exampleConfig } from '../../../guest-agent/nest-runtime/spec.ts';
import { parseConfig } from '../../../guest-agent/oci/config.ts';
import { Problems } from '../../../guest-agent/oci/problems.ts';

const problemsOf = (config: unknown): string[] => {
  try {
    parseConfig(config);
    return [];
  } catch (error) {
    if (error instanceof Problems) return error.problems;
    throw error;
  }
};

test('what spec writes is accepted', (t) => {
  t.deepEqual(problemsOf(exampleConfig()), []);
});

test('everything that is wrong is told at once, with the path of each field', (t) => {
  const { process, linux, ...rest } = exampleConfig();
  const config = {
    ...rest,
    process: { ...process, cwd: 'relative', args: [], capabilities: { bounding: ['CAP_NONSENSE'] } },
    linux: { ...linux, namespaces: [{ type: 'pid' }, { type: 'galaxy' }] },
  };
  const found = problemsOf(config).map((problem) => problem.split(':')[0]);
  t.deepEqual(found.sort(), [
    'linux.namespaces.1.type',
    'process.args',
    'process.capabilities.bounding.0',
    'process.cwd',
  ]);
});

test('what cannot be done is refused, not dropped', (t) => {
  const { process, linux, ...rest } = exampleConfig();
  const found = problemsOf({
    ...rest,
    process: { ...process, selinuxLabel: 'a:b' },
    linux: {
      ...linux,
      namespaces: [{ type: 'pid' }, { type: 'pid' }],
      uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
      sysctl: { 'kernel.panic': '1', 'net.ipv4.ip_forward': '1' },
      seccomp: { defaultAction: 'SCMP_ACT_NOTIFY' },
    },
  });
  for (const words of [
    /pid twice/,
    /no mount namespace/,
    /no user namespace/,
    /SELinux/,
    /kernel\.panic: of the whole guest/,
    /ip_forward: needs a network/,
    /SCMP_ACT_NOTIFY/,
  ])
    t.true(
      found.some((problem) => words.test(problem)),
      String(words),
    );
});
