import * as Args from '@oclif/core/args';
import type { Container } from 'dockerode';
import { eachContainer, type Outcome } from '../each-container.ts';
import { NestCommand } from './command.ts';
import { formatFailure } from './errors.ts';

/** The argument of verbs that take several containers. */
export const CONTAINERS = {
  containers: Args.string({ description: 'Names or ids', required: true, multiple: true, ignoreStdin: true }),
};

/** A verb on several containers: prints the name of each that it is done to, as Docker does. */
export abstract class ContainersCommand extends NestCommand {
  protected async each(
    names: readonly string[],
    action: (container: Container) => Promise<unknown>,
  ): Promise<Outcome[]> {
    const engine = await this.engine();
    const outcomes = await this.withStep(`${this.ctor.summary ?? ''}: ${names.join(', ')}`, () =>
      eachContainer(names, (name) => engine.docker((docker) => action(docker.getContainer(encodeURIComponent(name))))),
    );
    for (const { container, error } of outcomes) {
      if (error === null) this.print(container);
      else if (!this.jsonEnabled()) process.stderr.write(`${formatFailure(error)}\n`);
    }
    if (outcomes.some(({ error }) => error !== null)) process.exitCode = 1;
    return outcomes;
  }
}
