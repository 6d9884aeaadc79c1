/** What each file in bench/ exports as `bench`. */
export interface Bench {
  /** One line: what is measured against what. */
  summary: string;
  /** Rounds without `--runs`. */
  runs: number;
  measure(options: BenchOptions): Promise<Measurement>;
}

export interface BenchOptions {
  runs: number;
  /** What is going on, for the one who waits. */
  report: (text: string) => void;
}

export interface Measurement {
  goals: Goal[];
  /** Every measured value in the order of measuring, by name with unit: "crun ms". */
  samples: Record<string, number[]>;
  /** What the guests ran on, where that matters: accelerator, guest shape. */
  setting?: Record<string, string | number>;
}

export interface Goal {
  /** Stable: scripts refer to it. */
  id: string;
  what: string;
  value: number;
  goal: number;
  met: boolean;
}

/** A goal that is met by `goal` or less. */
export function atMost(goal: number, { id, what, value }: Pick<Goal, 'id' | 'what' | 'value'>): Goal {
  return { id, what, value, goal, met: value <= goal };
}

/** A goal that is met by `goal` or more. */
export function atLeast(goal: number, { id, what, value }: Pick<Goal, 'id' | 'what' | 'value'>): Goal {
  return { id, what, value, goal, met: value >= goal };
}
