import { execFileSync } from 'node:child_process';

/** What unsquashfs sees: path → `mode owner size-or-device`, without the root. */
export function listing(disk: string): Map<string, string> {
  const lines = execFileSync('unsquashfs', ['-lln', disk], { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
  return new Map(
    lines
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => {
        const [, mode = '', owner = '', rest = '', file = ''] =
          /^(\S+) (\S+)\s+(.+?) \d{4}-\d\d-\d\d \d\d:\d\d squashfs-root\/(.*)$/.exec(line) ?? [];
        // The size of a directory is an affair of squashfs.
        return [
          file.replace(/ -> .*/, ''),
          `${mode} ${owner} ${mode.startsWith('d') ? '' : rest.replace(/\s+/g, '')}`.trim(),
        ];
      }),
  );
}

export function contentOf(disk: string, file: string): string {
  return execFileSync('unsquashfs', ['-cat', disk, file], { encoding: 'utf8' });
}
