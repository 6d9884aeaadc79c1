import {
  AND,
  ARCHITECTURE,
  FARTHEST,
  type Instruction,
  JUMP,
  JUMP_EQUAL,
  JUMP_GREATER_OR_EQUAL,
  LOAD,
  NUMBER,
  RETURN,
} from '../../sys/classic-bpf.ts';

/** What a filter does with a call: a verdict, or more instructions of the program that it was, which look at arguments. */
export type Outcome = { verdict: number } | { goOn: number };

/** Ranges of numbers, each up to the start of the next; the first begins at 0. */
export type Table = { start: number; outcome: Outcome }[];

/**
 * Puts together a program that looks its verdict up by architecture and number, in a balanced tree of comparisons.
 *
 * @param source the program that outcomes go on in
 * @param tables by architecture, the most frequent first
 * @param otherwise for all other architectures
 */
export function assemble(
  source: Instruction[],
  tables: { architecture: number; table: Table }[],
  otherwise: Table,
): Instruction[] {
  // From the end to the beginning: jumps lead forward, so that each one's target is there before it.
  const program: Instruction[] = [];
  const verdicts = new Map<number, Label>();
  const copies = new Map<number, Label>();

  const emit = (code: number, value: number, yes = 0, no = 0): Label => program.push({ code, yes, no, value });
  const distance = (target: Label) => program.length - target;
  /** A place that the next instruction can reach with a comparison, even after `between` more. */
  const near = (target: Label, between = 0) =>
    distance(target) + between <= FARTHEST ? target : emit(JUMP, distance(target));
  const branch = (code: number, value: number, yes: Label, no: Label): Label => {
    // Each of the two may need a jump of its own, which puts the other one farther away.
    const first = near(yes, 1);
    const second = near(no);
    return emit(code, value, distance(first), distance(second));
  };
  /** Has `target` follow at once. */
  const fallInto = (target: Label) => (distance(target) === 0 ? target : emit(JUMP, distance(target)));

  const give = (verdict: number): Label => {
    const known = verdicts.get(verdict);
    if (known !== undefined && distance(known) < FARTHEST - 1) return known;
    const label = emit(RETURN, verdict);
    verdicts.set(verdict, label);
    return label;
  };
  const copy = (at: number): Label => {
    const known = copies.get(at);
    if (known !== undefined) return known;
    const label = copyAnew(at);
    copies.set(at, label);
    return label;
  };
  const copyAnew = (at: number): Label => {
    const { code, value, yes, no } = source[at] ?? NO_END;
    if (code === RETURN) return give(value);
    if (code === JUMP) return copy(at + 1 + value);
    if (code === LOAD || code === AND) {
      fallInto(copy(at + 1));
      return emit(code, value);
    }
    const otherwise = copy(at + 1 + no);
    return branch(code, value, copy(at + 1 + yes), otherwise);
  };
  const lookUp = (table: Table): Label => {
    const middle = table.length >> 1;
    const [first, pivot] = [table[0], table[middle]];
    if (first === undefined || pivot === undefined) throw new Error('a table without ranges');
    if (middle === 0) return 'verdict' in first.outcome ? give(first.outcome.verdict) : copy(first.outcome.goOn);
    const from = lookUp(table.slice(middle));
    return branch(JUMP_GREATER_OR_EQUAL, pivot.start, from, lookUp(table.slice(0, middle)));
  };
  const search = (table: Table): Label => {
    fallInto(lookUp(table));
    return emit(LOAD, NUMBER);
  };

  let next = search(otherwise);
  const entries = tables.map(({ architecture, table }) => ({ architecture, entry: search(table) }));
  for (const { architecture, entry } of entries.reverse()) next = branch(JUMP_EQUAL, architecture, entry, next);
  fallInto(next);
  emit(LOAD, ARCHITECTURE);
  return program.reverse();
}

/** How many instructions there are from a place to the end, itself included. */
type Label = number;

const NO_END: Instruction = { code: RETURN, yes: 0, no: 0, value: 0 };
