import * as v from 'valibot';
import { compactFilter } from './compact.ts';
import { compileFilter, type Condition, type FilterProgram } from '../../sys/seccomp.ts';

const u32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));
const errno = v.pipe(u32, v.maxValue(4095));
/** JSON numbers above 2⁵³ have lost their last digits already; what matters are masks and small values. */
const u64 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 64 - 1));
const names = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(64), v.regex(/^[a-z0-9_]+$/))),
  v.minLength(1),
  v.maxLength(1024),
);

export const Action = v.picklist(
  [
    'SCMP_ACT_KILL',
    'SCMP_ACT_KILL_PROCESS',
    'SCMP_ACT_KILL_THREAD',
    'SCMP_ACT_TRAP',
    'SCMP_ACT_ERRNO',
    'SCMP_ACT_TRACE',
    'SCMP_ACT_ALLOW',
    'SCMP_ACT_LOG',
    'SCMP_ACT_NOTIFY',
  ],
  'not an action of seccomp',
);

export const Argument = v.object({
  index: v.pipe(u32, v.maxValue(5)),
  value: u64,
  valueTwo: v.nullish(u64),
  op: v.picklist([
    'SCMP_CMP_NE',
    'SCMP_CMP_LT',
    'SCMP_CMP_LE',
    'SCMP_CMP_EQ',
    'SCMP_CMP_GE',
    'SCMP_CMP_GT',
    'SCMP_CMP_MASKED_EQ',
  ]),
});

export const SyscallRule = v.object({
  names,
  action: Action,
  errnoRet: v.nullish(errno),
  args: v.nullish(v.pipe(v.array(Argument), v.maxLength(64))),
});

/** runtime-spec config-linux.md, "Seccomp". */
export const SeccompFilter = v.object({
  defaultAction: Action,
  defaultErrnoRet: v.nullish(errno),
  architectures: v.nullish(
    v.pipe(v.array(v.pipe(v.string(), v.regex(/^SCMP_ARCH_[A-Z0-9_]{2,16}$/))), v.maxLength(32)),
  ),
  flags: v.nullish(
    v.array(
      v.picklist([
        'SECCOMP_FILTER_FLAG_TSYNC',
        'SECCOMP_FILTER_FLAG_LOG',
        'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
        'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
      ]),
    ),
  ),
  listenerPath: v.nullish(v.string()),
  listenerMetadata: v.nullish(v.string()),
  syscalls: v.nullish(v.pipe(v.array(SyscallRule), v.maxLength(4096))),
});
export type SeccompFilter = v.InferOutput<typeof SeccompFilter>;

/** What a process needs to put itself under a filter: seccomp(2). */
export interface InstalledFilter {
  /** The program, struct sock_filter[], in base64. */
  program: string;
  /** SECCOMP_FILTER_FLAG_* */
  flags: number;
}

/** The actions that need a supervisor, which would have to be started with the container. @returns what is wrong, or nothing */
export function refuseNotify(filter: SeccompFilter): string[] {
  const notify = [filter.defaultAction, ...(filter.syscalls ?? []).map(({ action }) => action)].includes(
    'SCMP_ACT_NOTIFY',
  );
  return [
    ...(notify ? ['action SCMP_ACT_NOTIFY: there is no supervisor that would answer it'] : []),
    ...(filter.listenerPath ? ['listenerPath: there is no supervisor that would answer it'] : []),
  ];
}

/** @throws SystemError of libseccomp; the filter has passed `refuseNotify` */
export function installable(filter: SeccompFilter): InstalledFilter {
  const program = compactFilter(compileFilter(programOf(filter)));
  return { program: program.toString('base64'), flags: flagsOf(filter) };
}

/** Rules that say what holds anyway are left out: libseccomp refuses them. */
export function programOf(filter: SeccompFilter): FilterProgram {
  const defaultAction = actionNumber(filter.defaultAction, filter.defaultErrnoRet);
  return {
    defaultAction,
    architectures: (filter.architectures ?? []).map((name) => name.replace('SCMP_ARCH_', '').toLowerCase()),
    rules: (filter.syscalls ?? []).flatMap((rule) => {
      const action = actionNumber(rule.action, rule.errnoRet);
      if (action === defaultAction) return [];
      return alternatives(rule.args ?? []).map((conditions) => ({ names: rule.names, action, conditions }));
    }),
  };
}

/**
 * Conditions on different arguments must all hold. Where one argument has several, libseccomp takes no conjunction: as
 * with other runtimes each condition is then a rule of its own.
 */
function alternatives(args: v.InferOutput<typeof Argument>[]): Condition[][] {
  const conditions = args.map(({ index, value, valueTwo, op }) => ({
    index,
    operator: OPERATORS[op],
    value: BigInt(value),
    valueTwo: BigInt(valueTwo ?? 0),
  }));
  const distinct = new Set(conditions.map(({ index }) => index)).size === conditions.length;
  return distinct ? [conditions] : conditions.map((condition) => [condition]);
}

function actionNumber(action: SeccompFilter['defaultAction'], errnoRet: number | null | undefined): number {
  const data = CARRIES_DATA.has(action) ? (errnoRet ?? EPERM) : 0;
  return (ACTIONS[action] | data) >>> 0;
}

const flagsOf = ({ flags }: SeccompFilter) => (flags ?? []).reduce((bits, name) => bits | FLAGS[name], 0);

/** include/uapi/linux/seccomp.h */
const ACTIONS: Record<SeccompFilter['defaultAction'], number> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};
const CARRIES_DATA = new Set(['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE']);
const FLAGS = {
  SECCOMP_FILTER_FLAG_TSYNC: 0, // The process has one thread.
  SECCOMP_FILTER_FLAG_LOG: 1 << 1,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 1 << 2,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 0, // Only with a supervisor.
};
/** enum scmp_compare */
const OPERATORS = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};
const EPERM = 1;
