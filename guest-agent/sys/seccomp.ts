import { closeSync, fstatSync, readSync } from 'node:fs';
import koffi from 'koffi';
import {
  ARCHITECTURE,
  compareWith,
  encode,
  give,
  JUMP_EQUAL,
  JUMP_GREATER,
  JUMP_GREATER_OR_EQUAL,
  load,
  NUMBER,
} from './classic-bpf.ts';
import { lastErrno, libc } from './ffi.ts';
import { SystemError } from './system-error.ts';

/** A system call filter in the terms of libseccomp: numbers of seccomp.h, names of system calls. */
export interface FilterProgram {
  /** SCMP_ACT_* */
  defaultAction: number;
  /** As seccomp_arch_resolve_name(3) takes them. The machine's own is always among them. */
  architectures: string[];
  /** Names that libseccomp does not know are left out: no program can make a call without a number. */
  rules: { names: string[]; action: number; conditions: Condition[] }[];
}

/** All of a rule's conditions must hold: seccomp_rule_add(3). */
export interface Condition {
  /** Of the argument, 0 to 5. */
  index: number;
  /** SCMP_CMP_* */
  operator: number;
  value: bigint;
  /** For SCMP_CMP_MASKED_EQ: `value` is the mask then. */
  valueTwo: bigint;
}

/**
 * Compiles a filter to the bytes of a classic BPF program, struct sock_filter[], as seccomp(2) takes it. Takes tens of
 * milliseconds. A binary tree instead of a list: the kernel runs the program for each system call when it is installed.
 */
export function compileFilter({ defaultAction, architectures, rules }: FilterProgram): Buffer {
  const library = (functions ??= loadLibrary());
  const context = library.init(defaultAction);
  if (context === null) throw new SystemError('seccomp_init', defaultAction.toString(16), EINVAL);
  try {
    check(library.attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE), 'seccomp_attr_set', 'optimize');
    for (const name of architectures) {
      const token = library.arch_resolve_name(name);
      if (token === 0) throw new SystemError('seccomp_arch_resolve_name', name, EINVAL);
      const added = library.arch_add(context, token);
      if (added !== -EEXIST) check(added, 'seccomp_arch_add', name);
    }
    let newest = 0;
    for (const { names, action, conditions } of rules) {
      const array = conditionArray(conditions);
      for (const name of names) {
        const number = library.syscall_resolve_name(name);
        if (number === UNKNOWN) continue;
        newest = Math.max(newest, number);
        check(library.rule_add_array(context, action, number, conditions.length, array), 'seccomp_rule_add', name);
      }
    }
    const program = exportProgram(library, context);
    return defaultAction === ALLOW ? program : Buffer.concat([newerCalls(newest), program]);
  } finally {
    library.release(context);
  }
}

/**
 * To be put before a program: calls that are newer than all that the filter speaks of do not exist, so that a C library falls
 * back to an older one, which it does not on any other error. As runc does.
 */
function newerCalls(newest: number): Buffer {
  return encode([
    load(ARCHITECTURE),
    compareWith(JUMP_EQUAL, AUDIT_ARCH_X86_64, 0, 4),
    load(NUMBER),
    compareWith(JUMP_GREATER, newest, 0, 2),
    compareWith(JUMP_GREATER_OR_EQUAL, X32_BIT, 1, 0),
    give(ERRNO_ENOSYS),
  ]);
}

function exportProgram(library: Functions, context: unknown): Buffer {
  const fd = libc.memfd_create('seccomp', MFD_CLOEXEC);
  if (fd < 0) throw new SystemError('memfd_create', 'seccomp', lastErrno());
  try {
    check(library.export_bpf(context, fd), 'seccomp_export_bpf', '');
    const program = Buffer.alloc(fstatSync(fd).size);
    readSync(fd, program, 0, program.length, 0);
    return program;
  } finally {
    closeSync(fd);
  }
}

/** struct scmp_arg_cmp {u32 arg; enum op; u64 datum_a, datum_b}[] */
function conditionArray(conditions: Condition[]): Buffer {
  const array = Buffer.alloc(Math.max(1, conditions.length) * 24);
  for (const [position, { index, operator, value, valueTwo }] of conditions.entries()) {
    array.writeUInt32LE(index, position * 24);
    array.writeUInt32LE(operator, position * 24 + 4);
    array.writeBigUInt64LE(value, position * 24 + 8);
    array.writeBigUInt64LE(valueTwo, position * 24 + 16);
  }
  return array;
}

/** libseccomp's functions return a negative error number. */
function check(result: number, operation: string, object: string): void {
  if (result < 0) throw new SystemError(operation, object, -result);
}

type Functions = ReturnType<typeof loadLibrary>;
let functions: Functions | undefined;

/** Signatures of seccomp.h 2.5. Only who compiles filters loads the library: never the zygote. */
function loadLibrary() {
  const library = koffi.load('libseccomp.so.2');
  const declare = (name: string, result: string, ...parameters: string[]) =>
    library.func(`seccomp_${name}`, result, parameters);
  return {
    init: declare('init', 'void *', 'uint32') as (action: number) => unknown,
    release: declare('release', 'void', 'void *') as (context: unknown) => void,
    attr_set: declare('attr_set', 'int', 'void *', 'int', 'uint32') as (
      context: unknown,
      attribute: number,
      value: number,
    ) => number,
    arch_resolve_name: declare('arch_resolve_name', 'uint32', 'str') as (name: string) => number,
    arch_add: declare('arch_add', 'int', 'void *', 'uint32') as (context: unknown, token: number) => number,
    syscall_resolve_name: declare('syscall_resolve_name', 'int', 'str') as (name: string) => number,
    rule_add_array: declare('rule_add_array', 'int', 'void *', 'uint32', 'int', 'uint', 'void *') as (
      context: unknown,
      action: number,
      syscall: number,
      count: number,
      conditions: Buffer,
    ) => number,
    export_bpf: declare('export_bpf', 'int', 'void *', 'int') as (context: unknown, fd: number) => number,
  };
}

const SCMP_FLTATR_CTL_OPTIMIZE = 8;
const BINARY_TREE = 2;
/** __NR_SCMP_ERROR */
const UNKNOWN = -1;
const MFD_CLOEXEC = 1;
const ALLOW = 0x7fff0000;
const AUDIT_ARCH_X86_64 = 0xc000003e;
const X32_BIT = 0x40000000;
const ERRNO_ENOSYS = 0x00050000 | 38;
const EEXIST = 17;
const EINVAL = 22;
