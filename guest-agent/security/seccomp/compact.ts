import { assemble, type Outcome, type Table } from './assemble.ts';
import {
  ARCHITECTURE,
  CODES,
  compare,
  decode,
  encode,
  type Instruction,
  JUMP,
  JUMP_EQUAL,
  JUMP_GREATER,
  JUMP_GREATER_OR_EQUAL,
  LOAD,
  NUMBER,
  RETURN,
} from '../../sys/classic-bpf.ts';

/**
 * The same filter in about a quarter of the instructions. libseccomp compares with each system call by itself; allowed calls
 * mostly follow one another, so that ranges of numbers say the same. A process takes its filter in its last moment before
 * execve, and the kernel checks, translates and tries it out there: the shorter, the sooner the program runs.
 *
 * What the program does with a call is found by running it, for each architecture it asks for and each range of numbers
 * between those that it compares with, up to its verdict or its first look at an argument. A program that does more than
 * libseccomp's before that stays as it is.
 */
export function compactFilter(bytes: Buffer): Buffer {
  const program = decode(bytes);
  const constants = program.every(({ code }) => CODES.has(code)) ? comparisons(program) : undefined;
  if (constants === undefined) return bytes;
  const architectures = [...constants.architectures];
  const starts = [...constants.starts].sort((a, b) => a - b);
  const table = (architecture: number): Table =>
    starts
      .map((start) => ({ start, outcome: outcomeOf(program, architecture, start) }))
      .filter(({ outcome }, index, all) => index === 0 || !isSame(outcome, all[index - 1]?.outcome));
  const other = unlike(architectures);
  const compact = encode(
    assemble(
      program,
      architectures.map((architecture) => ({ architecture, table: table(architecture) })),
      table(other),
    ),
  );
  return compact.length < bytes.length ? compact : bytes;
}

interface Constants {
  architectures: Set<number>;
  /** Where ranges of numbers begin of which no comparison tells two apart. */
  starts: Set<number>;
}

/** All that the program compares architecture and number with, on whichever way; undefined when that is not all it does. */
function comparisons(program: Instruction[]): Constants | undefined {
  const constants: Constants = { architectures: new Set(), starts: new Set([0]) };
  const seen = new Set<string>();
  const ways: { at: number; loaded: number | undefined }[] = [{ at: 0, loaded: undefined }];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    const { at, loaded } = way;
    const instruction = program[at];
    if (instruction === undefined) return undefined;
    if (seen.has(`${at} ${loaded}`)) continue;
    seen.add(`${at} ${loaded}`);
    const { code, value, yes, no } = instruction;
    if (code === RETURN || isArgument(instruction)) continue;
    if (code === LOAD) ways.push({ at: at + 1, loaded: value });
    else if (code === JUMP) ways.push({ at: at + 1 + value, loaded });
    else if (note(constants, loaded, instruction)) ways.push({ at: at + 1 + yes, loaded }, { at: at + 1 + no, loaded });
    else return undefined;
  }
  return constants;
}

/** @returns whether it is a comparison that ranges of numbers can stand for */
function note({ architectures, starts }: Constants, loaded: number | undefined, { code, value }: Instruction): boolean {
  if (loaded === ARCHITECTURE && code === JUMP_EQUAL) {
    architectures.add(value);
    return true;
  }
  if (loaded !== NUMBER || ![JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_OR_EQUAL].includes(code)) return false;
  if (code !== JUMP_GREATER) starts.add(value);
  if (code !== JUMP_GREATER_OR_EQUAL && value < 0xffffffff) starts.add(value + 1);
  return true;
}

/** Of a call, as far as its arguments do not matter. */
function outcomeOf(program: Instruction[], architecture: number, number: number): Outcome {
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const instruction = program[at];
    if (instruction === undefined) throw new Error('a filter without an end');
    const { code, value, yes, no } = instruction;
    if (code === RETURN) return { verdict: value };
    if (isArgument(instruction)) return { goOn: at };
    if (code === LOAD) accumulator = value === NUMBER ? number : architecture;
    else if (code === JUMP) at += value;
    else at += compare(instruction, accumulator) ? yes : no;
  }
}

/** Whatever the program knew before, it does not any more. */
const isArgument = ({ code, value }: Instruction) => code === LOAD && value !== NUMBER && value !== ARCHITECTURE;

const isSame = (a: Outcome, b: Outcome | undefined) => JSON.stringify(a) === JSON.stringify(b);

/** One that the program does not ask for. */
function unlike(architectures: number[]): number {
  let other = 0;
  while (architectures.includes(other)) other += 1;
  return other;
}
