import * as Args from '@oclif/core/args';
import { NestError } from '../errors.ts';
import type { Engine } from '../client/connect.ts';
import { NestCommand } from '../client/terminal/command.ts';

export default class Inspect extends NestCommand {
  static override summary = 'Show everything about containers or images';
  static override description =
    'Prints a JSON list in the shape of the Docker Engine API, with a part of its own: Nest.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello-web-1'];
  static override args = {
    names: Args.string({
      description: 'Names or ids of containers or images',
      required: true,
      multiple: true,
      ignoreStdin: true,
    }),
  };

  async run(): Promise<unknown[]> {
    const { args } = await this.parse(Inspect);
    const engine = await this.engine();
    const found = await Promise.all(args.names.map((name) => inspect(engine, name)));
    this.printJson(found);
    return found;
  }
}

/** A container comes before an image of the same name, as in Docker. */
async function inspect(engine: Engine, name: string): Promise<unknown> {
  const reference = encodeURIComponent(name);
  try {
    return await engine.docker((docker) => docker.getContainer(reference).inspect());
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  try {
    return await engine.docker((docker) => docker.getImage(reference).inspect());
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new NestError('not-found', `No such container or image: ${name}`, {
      hint: '`nest ps -a` and `nest image list` show those that are here',
      cause: error,
    });
  }
}

const isMissing = (error: unknown) =>
  error instanceof NestError && (error.code === 'not-found' || error.code === 'image-not-found');
