import { writeFile } from 'node:fs/promises';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { BuildResult } from '../api.ts';
import { readBuild } from '../client/build-image.ts';
import { listView, plainView, quietView, type BuildView } from '../client/terminal/build-view.ts';
import { NestCommand } from '../client/terminal/command.ts';
import { escapeText } from '../client/terminal/escape.ts';
import { SEVERAL } from '../client/terminal/flags.ts';
import { bytes } from '../client/terminal/units.ts';

export default class Build extends NestCommand {
  static override summary = 'Build an image from a Dockerfile';
  static override description = [
    'Sends a folder, without what its .dockerignore names, to the engine. Commands of RUN run in a guest of their own,',
    'without a network. Steps that were done before are taken from the cache. With SOURCE_DATE_EPOCH set the same input',
    'makes the same image.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> <%= command.id %> -t web .',
    '<%= config.bin %> <%= command.id %> -t web:2 -f docker/Dockerfile --build-arg VERSION=2 --target release .',
  ];
  static override args = {
    context: Args.string({ description: 'Folder', required: true, ignoreStdin: true }),
  };
  static override flags = {
    tag: Flags.string({ char: 't', summary: 'Name of the image', helpValue: 'NAME[:TAG]', ...SEVERAL }),
    file: Flags.string({ char: 'f', summary: 'Dockerfile, - for stdin', helpValue: 'FILE' }),
    'build-arg': Flags.string({ summary: 'Set an ARG; NAME alone passes yours', helpValue: 'NAME=VALUE', ...SEVERAL }),
    target: Flags.string({ summary: 'Stage to build', helpValue: 'STAGE' }),
    secret: Flags.string({
      summary: 'What RUN --mount=type=secret may see',
      helpValue: 'id=ID,src=FILE|env=NAME',
      ...SEVERAL,
    }),
    label: Flags.string({ summary: 'Set a label of the image', helpValue: 'KEY=VALUE', ...SEVERAL }),
    'no-cache': Flags.boolean({ summary: 'Do every step anew', default: false }),
    pull: Flags.boolean({
      summary: 'Bring base images from their registries, also those that are here',
      default: false,
    }),
    quiet: Flags.boolean({ char: 'q', summary: 'Print the id alone', default: false }),
    progress: Flags.option({
      options: ['auto', 'plain'] as const,
      summary: 'plain: all that commands write',
      default: 'auto',
      env: 'NEST_BUILD_PROGRESS',
    })(),
    iidfile: Flags.string({ summary: 'Write the id into a file', helpValue: 'FILE' }),
  };

  async run(): Promise<BuildResult> {
    const { args, flags } = await this.parse(Build);
    const { tag = [], secret = [], label = [], 'build-arg': buildArg = [] } = flags;
    const pull = flags.pull ? 'always' : process.env['NEST_PULL'] === 'never' ? 'never' : 'missing';
    const { request, context } = await readBuild({
      ...flags,
      context: args.context,
      file: flags.file,
      target: flags.target,
      tag,
      secret,
      label,
      'build-arg': buildArg,
      pull,
    });
    const engine = await this.engine();
    const view = this.#view(flags.quiet, flags.progress === 'plain' || !process.stderr.isTTY);
    try {
      const image = await engine.nest.build(request, context, (event) => view.show(event), this.signal);
      await view.end();
      if (flags.iidfile !== undefined) await writeFile(flags.iidfile, image.id);
      if (flags.quiet) this.print(image.id);
      else
        this.print(`Built ${image.names.join(', ') || image.id} (${bytes(image.size)}, ${image.layers.length} layers)`);
      return image;
    } catch (error) {
      await view.end();
      const output = view.lastOutput();
      if (output.length > 0 && !this.jsonEnabled()) process.stderr.write(`${escapeText(output.join('\n'))}\n`);
      throw error;
    } finally {
      context.destroy();
    }
  }

  #view(quiet: boolean, plain: boolean): BuildView {
    if (quiet || this.jsonEnabled()) return quietView();
    return plain ? plainView((text) => process.stderr.write(text)) : listView(this.progress());
  }
}
