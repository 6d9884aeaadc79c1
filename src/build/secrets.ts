import type { SecretMount } from './dockerfile/instruction.ts';
import { BuildProblem } from './problem.ts';

/** A file that a command finds while it runs. */
export interface SecretFile {
  /** Absolute. */
  path: string;
  content: Buffer;
  mode: number;
  uid: number;
  gid: number;
}

/** What a RUN gets to see of the build's secrets: files and variables. @throws BuildProblem for a required one that is not given */
export function mountSecrets(
  mounts: SecretMount[],
  secrets: Map<string, Buffer>,
): { files: SecretFile[]; env: string[] } {
  const files: SecretFile[] = [];
  const env: string[] = [];
  for (const mount of mounts) {
    const content = secrets.get(mount.id);
    if (content === undefined) {
      if (mount.required)
        throw new BuildProblem(`secret \`${mount.id}\` is not given: --secret id=${mount.id},src=FILE`);
      continue;
    }
    const { target, mode, uid, gid } = mount;
    if (target !== null) files.push({ path: target, content, mode, uid, gid });
    if (mount.env !== null) env.push(`${mount.env}=${content.toString('utf8')}`);
  }
  return { files, env };
}
