import test from 'ava';
import { parseDockerfile } from '../../../src/build/dockerfile/parse.ts';
import { NestError } from '../../../src/errors.ts';

const parse = (text: string) => parseDockerfile(text, 'Dockerfile').instructions;
const second = (text: string) => parse(`FROM x\n${text}`)[1];

test('lines are joined, comments in between are dropped, and the line is where it begins', (t) => {
  const [from, run] = parse(
    '# a comment\n\nfrom debian:12 as Base\n\n# another\nRUN one && \\\n  # comment\n\n  two\n',
  );
  t.like(from, { kind: 'from', image: 'debian:12', stage: 'base', line: 3 });
  t.like(run, { kind: 'run', line: 6, command: { form: 'shell', text: 'one &&   two' } });
});

test('the escape directive changes what continues a line; others are passed over', (t) => {
  const [, run] = parse('# syntax=docker/dockerfile:1\n# escape=`\nFROM x\nRUN a `\n b c:\\');
  t.like(run, { command: { form: 'shell', text: 'a  b c:\\' } });
});

test('a directive below the first line that is none is a comment', (t) => {
  t.like(parse('# hello\n# escape=`\nFROM x\nRUN a \\\n b')[1], { command: { text: 'a  b' } });
});

test('the exec form is a JSON list of strings, anything else is for the shell', (t) => {
  t.deepEqual((second('CMD ["a", "b c"]') as { command: unknown }).command, { form: 'exec', argv: ['a', 'b c'] });
  t.deepEqual((second("CMD ['a']") as { command: unknown }).command, { form: 'shell', text: "['a']" });
});

test('heredocs are read to their end; a dash takes the tabs away', (t) => {
  t.like(second('RUN <<EOF\necho a\n# no comment\nEOF'), {
    heredocs: [{ name: 'EOF', content: 'echo a\n# no comment\n', expand: true }],
  });
  t.like(second(`COPY <<-"AB" <<C /d/\n\tx\n\tAB\ny\nC`), {
    sources: [],
    target: '/d/',
    heredocs: [
      { name: 'AB', content: 'x\n', expand: false },
      { name: 'C', content: 'y\n' },
    ],
  });
});

test('ENV takes pairs with quotes, and the old form', (t) => {
  t.deepEqual((second(`ENV A=1 B="two words" C=d\\ e`) as { assignments: unknown }).assignments, [
    { name: 'A', value: '1' },
    { name: 'B', value: '"two words"' },
    { name: 'C', value: 'd\\ e' },
  ]);
  t.deepEqual((second('ENV A all the rest') as { assignments: unknown }).assignments, [
    { name: 'A', value: 'all the rest' },
  ]);
});

test('COPY has sources, a target and flags', (t) => {
  t.like(second('COPY --from=base --chown=1:2 --chmod=755 --link a b /c/'), {
    kind: 'copy',
    unpack: false,
    sources: ['a', 'b'],
    target: '/c/',
    from: 'base',
    chown: '1:2',
    chmod: '755',
  });
  t.like(second('ADD ["a b", "c"]'), { unpack: true, sources: ['a b'], target: 'c' });
});

test('secrets have a place of their own unless a target or a variable is named', (t) => {
  t.like(second('RUN --mount=type=secret,id=token cat'), {
    secrets: [{ id: 'token', target: '/run/secrets/token', env: null, mode: 0o400 }],
  });
  t.like(second('RUN --mount=type=secret,id=t,env=T,required=true x'), {
    secrets: [{ target: null, env: 'T', required: true }],
  });
});

test('HEALTHCHECK counts in nanoseconds', (t) => {
  t.like(second('HEALTHCHECK --interval=1m30s --retries=2 CMD curl x'), {
    check: { interval: 90e9, retries: 2, timeout: 0, command: { form: 'shell', text: 'curl x' } },
  });
  t.like(second('HEALTHCHECK NONE'), { check: { command: null } });
});

test('ONBUILD holds an instruction for later', (t) => {
  t.like(second('ONBUILD RUN make'), { kind: 'onbuild', instruction: { kind: 'run', text: 'RUN make' } });
});

test('every line that is wrong is told, with its number', (t) => {
  const error = t.throws(() => parse('FROM x\nRUNN a\nCOPY only\nENV\nEXPOSE 80\nSHELL sh'), { instanceOf: NestError });
  t.is(error.code, 'invalid-input');
  t.is(error.message, 'Dockerfile:2: unknown instruction: RUNN');
  t.deepEqual(
    error.hint?.split('\n').map((line) => line.slice(0, 13)),
    ['There are mor', 'Dockerfile:3:', 'Dockerfile:4:', 'Dockerfile:6:'],
  );
});

for (const [title, text, message] of [
  ['without FROM', '', /has no FROM/],
  ['with an instruction before FROM', 'RUN a\nFROM x', /^Dockerfile:1: no build stage/],
  ['with a heredoc that has no end', 'FROM x\nRUN <<EOF\na', /^Dockerfile:2: heredoc `EOF` has no end/],
  ['with an unknown flag', 'FROM x\nCOPY --parents a b', /^Dockerfile:2: COPY: unknown flag: --parents/],
  ['with ONBUILD FROM', 'FROM x\nONBUILD FROM y', /not allowed as a trigger/],
  ['with another platform', 'FROM --platform=linux/arm64 x', /guests run linux\/amd64/],
  ['with a cache mount', 'FROM x\nRUN --mount=type=cache,target=/c a', /only secrets can be mounted/],
  ['with a secret outside', 'FROM x\nRUN --mount=type=secret,id=a,target=/run/../etc/shadow a', /not an absolute path/],
  ['that clones a repository', 'FROM x\nADD https://example.org/a.git#main /a', /ADD fetches no repositories/],
  ['with a bad escape', '# escape=x\nFROM y', /backslash or a backtick/],
] as [string, string, RegExp][])
  test(`a file ${title} is refused`, (t) => void t.throws(() => parse(text), { message }));
