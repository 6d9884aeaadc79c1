import { Command } from '@oclif/core/command';
import { ExitError } from '@oclif/core/errors';
import { connectEngine, type Engine } from '../connect.ts';
import { progressTo, type Progress } from '../../progress.ts';
import { asNestError, toErrorBody, type ErrorBody } from '../../errors.ts';
import { ReaderGone } from '../output.ts';
import { escapeText } from './escape.ts';
import { failureOf, formatFailure } from './errors.ts';
import { interruption, type Interruption } from './interrupt.ts';
import { progressView, type ProgressOptions, type ProgressView } from './progress-view.ts';
import { screenOf, table, type Column } from './table.ts';

/**
 * What every command shares: `--json`, errors as one line with a hint, Ctrl+C. A command parses its flags, calls the
 * client, prints and returns data; with --json only the data is printed.
 */
export abstract class NestCommand extends Command {
  static override enableJsonFlag = true;

  #interruption: Interruption | undefined;

  /** Aborted by SIGINT and SIGTERM, from the first use on. */
  protected get signal(): AbortSignal {
    this.#interruption ??= interruption();
    return this.#interruption.signal;
  }

  /** From here on SIGINT and SIGTERM are the command's own business. */
  protected releaseSignals(): void {
    this.#interruption?.[Symbol.dispose]();
  }

  /** A line, or several, for a person. Control characters are escaped. */
  protected print(text: string): void {
    this.log('%s', escapeText(text));
  }

  /** What a command shows as JSON anyway; with --json it is what the command returns. */
  protected printJson(value: unknown): void {
    if (!this.jsonEnabled()) this.logJson(value);
  }

  /** Says what fails, so that what else was asked for is done all the same. @returns null when it is done */
  protected async attempt(action: () => Promise<void>): Promise<ErrorBody | null> {
    try {
      await action();
      return null;
    } catch (cause) {
      const error = toErrorBody(asNestError(cause));
      if (!this.jsonEnabled()) process.stderr.write(`${formatFailure(error)}\n`);
      process.exitCode = 1;
      return error;
    }
  }

  protected printTable<T>(rows: readonly T[], columns: readonly Column<T>[]): void {
    this.log('%s', table(rows, columns, screenOf(process.stdout)));
  }

  protected progress(options: Omit<ProgressOptions, 'visible'> = {}): ProgressView {
    return progressView({ visible: !this.jsonEnabled(), ...options });
  }

  /** Runs work that reports its steps, and shows them. */
  protected async withProgress<T>(work: (view: ProgressView) => Promise<T>, clear = false): Promise<T> {
    const view = this.progress({ clear });
    try {
      return await work(view);
    } finally {
      await view.end();
    }
  }

  /** The same for work that is one step; it vanishes when it is done. */
  protected async withStep<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T> {
    return await this.withProgress((view) => progressTo((event) => view.show(event)).step(title, work), true);
  }

  /** The same for work that tells its steps; they vanish when it is done. */
  protected async withSteps<T>(work: (progress: Progress) => Promise<T>): Promise<T> {
    return await this.withProgress((view) => work(progressTo((event) => view.show(event))), true);
  }

  /** This host's engine, started when none runs. */
  protected async engine(options: { start: boolean } = { start: true }): Promise<Engine> {
    return await this.withStep('Starting the engine', () => connectEngine({ ...options, signal: this.signal }));
  }

  /** Exit status for an error that is not about usage. */
  protected exitCodeOf(_error: unknown, exitCode: number): number {
    return exitCode;
  }

  protected override catch(error: Error): Promise<void> {
    if (error instanceof ExitError) throw error;
    const signal = this.#interruption?.signal;
    const cause: unknown = signal?.aborted ? signal.reason : error;
    if (cause instanceof ReaderGone) {
      process.exitCode = cause.exitCode;
      return Promise.resolve();
    }
    const { exitCode, body } = failureOf(cause, this.config.bin, (this.id ?? '').replaceAll(':', ' '));
    process.exitCode = this.exitCodeOf(cause, exitCode);
    if (this.jsonEnabled()) this.logJson({ error: body });
    else process.stderr.write(`${formatFailure(body)}\n`);
    return Promise.resolve();
  }

  protected override finally(): Promise<void> {
    this.releaseSignals();
    return Promise.resolve();
  }

  /** JSON.stringify leaves C1 control characters as they are; a terminal may obey them. */
  protected override logJson(json: unknown): void {
    const text = JSON.stringify(json, null, 2);
    process.stdout.write(`${text.replace(/[\u007f-\u009f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)}\n`);
  }
}
