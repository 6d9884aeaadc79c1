import { BuildProblem } from './problem.ts';
import { resolve, split, type TreeNode } from './file-tree.ts';

/** A source of COPY that was found. */
export interface Match {
  /** Its last name. */
  name: string;
  /** Links followed: what is copied. */
  node: TreeNode;
  /** Unpacked by ADD: the archive says who owns it. */
  unpacked?: true;
}

/**
 * What a source of COPY stands for, in Go's filepath.Match patterns (`*`, `?`, `[a-z]`), sorted. Links are followed inside
 * the tree; one that leads nowhere is no match.
 */
export function glob(root: TreeNode, pattern: string): Match[] {
  if (!/[*?[\\]/.test(pattern)) {
    const { node, parts } = resolve(root, pattern);
    return node === undefined ? [] : [{ name: split(pattern).at(-1) ?? parts.at(-1) ?? '', node }];
  }
  const found: Match[] = [];
  const visit = (path: string, [part, ...rest]: string[]): void => {
    if (part === undefined) {
      const { node } = resolve(root, path);
      if (node !== undefined) found.push({ name: split(path).at(-1) ?? '', node });
      return;
    }
    if (part === '.' || part === '..') {
      visit(`${path}/${part}`, rest);
      return;
    }
    const names = [...(resolve(root, path).node?.children?.keys() ?? [])].sort();
    const expression = toExpression(part);
    for (const name of names) if (expression.test(name)) visit(`${path}/${name}`, rest);
  };
  visit('', split(pattern));
  return found;
}

/** One component of a pattern. */
function toExpression(part: string): RegExp {
  let source = '';
  for (let at = 0; at < part.length; at++) {
    const character = part.charAt(at);
    const set = character === '[' ? /^\[(\^?)((?:\\.|[^\]\\])+)\]/s.exec(part.slice(at)) : null;
    if (set !== null) {
      const [whole, not = '', members = ''] = set;
      source += `[${not}${members.replace(/\\(.)|([[&~])/gs, (_, escaped?: string, plain?: string) => `\\${escaped ?? plain ?? ''}`)}]`;
      at += whole.length - 1;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else source += (character === '\\' ? part.charAt(++at) : character).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch (error) {
    throw new BuildProblem(`bad pattern \`${part}\``, { cause: error });
  }
}
