import { setTimeout as delay } from 'node:timers/promises';

/**
 * Measures several things in turn, round by round, so that none has the machine's good minutes for itself. Each round
 * begins with another one: what runs first after a pause is slower. One round before the first warms caches and is not
 * counted.
 *
 * A pause before each measurement lets what the one before left to do in the background be done, and not be counted.
 *
 * @param measures each returns one sample
 * @returns the samples of each, in the order of the rounds
 */
export async function interleave<Name extends string>(
  rounds: number,
  measures: Record<Name, (round: number) => Promise<number>>,
  onRound: (round: number) => void = () => undefined,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measures) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  const measure = async (name: Name, round: number) => {
    await delay(PAUSE);
    return measures[name](round);
  };
  for (const name of names) await measure(name, WARM_UP);
  for (let round = 0; round < rounds; round += 1) {
    onRound(round);
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      samples[name].push(await measure(name, round));
    }
  }
  return samples;
}

const WARM_UP = -1;
/** Milliseconds. */
const PAUSE = 500;
