import type { Heredoc } from './lines.ts';

/** A command in the exec form, or as text for the shell. */
export type Command = { form: 'exec'; argv: string[] } | { form: 'shell'; text: string };

/** A word per variable, not expanded yet. */
export interface Assignment {
  name: string;
  value: string;
}

export interface Healthcheck {
  /** Null is `HEALTHCHECK NONE`. */
  command: Command | null;
  /** Nanoseconds; 0 is Docker's default. */
  interval: number;
  timeout: number;
  startPeriod: number;
  startInterval: number;
  retries: number;
}

export interface SecretMount {
  id: string;
  /** Absolute. */
  target: string | null;
  /** Variable that holds it. */
  env: string | null;
  required: boolean;
  mode: number;
  uid: number;
  gid: number;
}

export interface CopyInstruction {
  kind: 'copy';
  /** ADD unpacks local archives, and fetches files. */
  unpack: boolean;
  sources: string[];
  heredocs: Heredoc[];
  target: string;
  from: string | null;
  chown: string | null;
  chmod: string | null;
  /** Of the one file that ADD fetches: `sha256:…`. */
  checksum: string | null;
}

/** What a line says, words still to be expanded. */
export type InstructionBody =
  | { kind: 'from'; image: string; stage: string | null }
  | { kind: 'run'; command: Command; heredocs: Heredoc[]; secrets: SecretMount[] }
  | CopyInstruction
  | { kind: 'env' | 'label'; assignments: Assignment[] }
  | { kind: 'arg'; args: { name: string; value: string | null }[] }
  | { kind: 'workdir'; word: string }
  | { kind: 'user' | 'stopsignal'; word: string }
  | { kind: 'maintainer'; author: string }
  | { kind: 'expose' | 'volume'; words: string[] }
  | { kind: 'entrypoint' | 'cmd'; command: Command }
  | { kind: 'shell'; argv: string[] }
  | { kind: 'healthcheck'; check: Healthcheck }
  | { kind: 'onbuild'; instruction: Instruction; text: string };

export type Instruction = InstructionBody & {
  line: number;
  /** As it stands, lines joined: for progress and history. */
  text: string;
};

export interface Dockerfile {
  escape: '\\' | '`';
  instructions: Instruction[];
}
