import type { Dockerfile, Instruction } from './dockerfile/instruction.ts';
import { expandWord, type Lookup } from './dockerfile/expand.ts';
import { DockerfileProblem, problemsError } from './dockerfile/problem.ts';

export interface Stage {
  /** Its place in the file, from 0. */
  index: number;
  name: string | null;
  from: Instruction & { kind: 'from' };
  base: { kind: 'scratch' } | { kind: 'image'; name: string } | { kind: 'stage'; index: number };
  instructions: Instruction[];
}

export interface Plan {
  /** Those that the target needs, in the file's order; the last one is the target. */
  stages: Stage[];
  /** Values of ARG before the first FROM, for stages that declare the same name. */
  globalArgs: Map<string, string>;
}

/**
 * Which stages are to be built.
 *
 * @param target name or number of a stage; null is the last
 * @throws NestError `invalid-input`
 */
export function planStages(
  { escape, instructions }: Dockerfile,
  fileName: string,
  { target, buildArgs }: { target: string | null; buildArgs: Map<string, string> },
): Plan {
  const globalArgs = new Map<string, string>();
  const lookup: Lookup = (name) => globalArgs.get(name) ?? PLATFORM_ARGS.get(name);
  const stages: Stage[] = [];
  const problems: DockerfileProblem[] = [];
  for (const instruction of instructions) {
    try {
      if (instruction.kind === 'from')
        stages.push(openStage(instruction, stages, (word) => expandWord(word, lookup, escape)));
      else if (stages.length > 0) stages.at(-1)?.instructions.push(instruction);
      else if (instruction.kind === 'arg')
        for (const { name, value } of instruction.args) {
          const given = buildArgs.get(name) ?? (value === null ? undefined : expandWord(value, lookup, escape));
          if (given !== undefined) globalArgs.set(name, given);
        }
    } catch (error) {
      problems.push(
        error instanceof DockerfileProblem ? error : new DockerfileProblem(instruction.line, (error as Error).message),
      );
    }
  }
  if (problems.length > 0) throw problemsError(fileName, problems);
  const last = target === null ? stages.at(-1) : findStage(stages, target);
  if (last === undefined)
    throw problemsError(fileName, [new DockerfileProblem(1, `target stage \`${target ?? ''}\` is not in the file`)]);
  const needed = new Set<number>();
  const need = (stage: Stage) => {
    if (needed.has(stage.index)) return;
    needed.add(stage.index);
    for (const other of dependencies(stage, stages)) need(other);
  };
  need(last);
  return { stages: stages.filter(({ index }) => needed.has(index)), globalArgs };
}

/** A stage before `stage` by its name or number; undefined when it must be an image. */
export function findStage(stages: Stage[], name: string): Stage | undefined {
  const byName = stages.findLast((stage) => stage.name === name.toLowerCase());
  return byName ?? (/^\d+$/.test(name) ? stages.find(({ index }) => index === Number(name)) : undefined);
}

function openStage(from: Instruction & { kind: 'from' }, before: Stage[], expand: (word: string) => string): Stage {
  const image = expand(from.image);
  if (image === '') throw new DockerfileProblem(from.line, `FROM ${from.image}: base name is empty`);
  const stage = before.findLast(({ name }) => name === image.toLowerCase());
  const base: Stage['base'] =
    stage !== undefined
      ? { kind: 'stage', index: stage.index }
      : image === 'scratch'
        ? { kind: 'scratch' }
        : { kind: 'image', name: image };
  return { index: before.length, name: from.stage, from, base, instructions: [] };
}

function dependencies(stage: Stage, stages: Stage[]): Stage[] {
  const earlier = stages.filter(({ index }) => index < stage.index);
  const copies = stage.instructions.flatMap((instruction) =>
    instruction.kind === 'copy' && instruction.from !== null ? (findStage(earlier, instruction.from) ?? []) : [],
  );
  const { base } = stage;
  return base.kind === 'stage' ? [...earlier.filter(({ index }) => index === base.index), ...copies] : copies;
}

/** https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope */
export const PLATFORM_ARGS = new Map(
  ['TARGET', 'BUILD'].flatMap((side): [string, string][] => [
    [`${side}PLATFORM`, 'linux/amd64'],
    [`${side}OS`, 'linux'],
    [`${side}ARCH`, 'amd64'],
    [`${side}VARIANT`, ''],
  ]),
);
