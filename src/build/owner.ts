import { BuildProblem } from './problem.ts';
import { resolve, type TreeNode } from './file-tree.ts';
import { readWhole } from './spool.ts';
import { contents } from './write-layer.ts';

/**
 * Who `--chown` names: `uid`, `uid:gid`, `name`, `name:group`; names are looked up in the stage's own files. A number alone
 * is the group, too.
 *
 * @throws BuildProblem when there is none of this name
 */
export async function findOwner(root: TreeNode, chown: string): Promise<{ uid: number; gid: number }> {
  const [user = '', group] = chown.split(':', 2);
  const entry = asId(user) === undefined ? await record(root, '/etc/passwd', user) : undefined;
  const uid = asId(user) ?? asId(entry?.[2]);
  if (uid === undefined) throw new BuildProblem(`--chown: there is no user \`${user}\` in /etc/passwd`);
  if (group === undefined || group === '') return { uid, gid: entry === undefined ? uid : (asId(entry[3]) ?? uid) };
  const gid = asId(group) ?? asId((await record(root, '/etc/group', group))?.[2]);
  if (gid === undefined) throw new BuildProblem(`--chown: there is no group \`${group}\` in /etc/group`);
  return { uid, gid };
}

async function record(root: TreeNode, file: string, name: string): Promise<string[] | undefined> {
  const { node } = resolve(root, file);
  const spooled = node && (await contents([node])).get(node);
  if (spooled === undefined || spooled.size > FILE_LIMIT) return undefined;
  const text = (await readWhole(spooled)).toString('utf8');
  return text
    .split('\n')
    .map((line) => line.trim().split(':'))
    .find(([first]) => first === name);
}

const asId = (text: string | undefined) =>
  text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;

const FILE_LIMIT = 1024 * 1024;
