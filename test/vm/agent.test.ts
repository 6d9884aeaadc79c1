import test from 'ava';
import * as v from 'valibot';
import { ContainerRecord, ContainerState } from '../../guest-agent/api.ts';
import { framed, readAll } from '../guest-agent/client.ts';
import { type AgentGuest, openAgentGuest } from '../helpers/agent-guest.ts';

let guest: AgentGuest;

test.before(async () => {
  guest = await openAgentGuest('agent');
});

test.after.always(() => guest.close());

test.serial('a container is alone in its namespaces, on its own overlay', async (t) => {
  const spec = guest.shell('echo $$; hostname; ps; grep " / " /proc/mounts; cat /proc/1/cgroup', { hostname: 'alone' });
  t.like(await guest.run(spec), { status: 'exited', exitCode: 0 });
  const [pid, hostname, ...rest] = (await guest.logs(spec.id)).split('\n');
  t.is(pid, '1');
  t.is(hostname, 'alone');
  const text = rest.join('\n');
  t.regex(text, /^overlay \/ overlay rw/m);
  t.regex(text, /^0::\/$/m);
  t.notRegex(text, /agent\.js|zygote\.js/);
});

test.serial('the exit code, both output streams and every line of a container arrive', async (t) => {
  const spec = guest.shell('seq 20000; echo oops >&2; exit 3');
  t.like(await guest.run(spec), { exitCode: 3, oomKilled: false });
  t.is(await guest.logs(spec.id), Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join(''));
  const errors = await readAll(
    await guest.trunk.read({ method: 'GET', path: `/v1/containers/${spec.id}/logs?stderr=1` }),
  );
  t.is(framed(errors, 2), 'oops\n');
});

test.serial('a user named by the image runs with its groups and its home', async (t) => {
  const spec = guest.shell('id; echo $HOME', { user: 'web' });
  await guest.run(spec);
  t.is(await guest.logs(spec.id), 'uid=33(web) gid=34(web) groups=4(adm)\n/srv\n');
});

test.serial('exec joins the container: its processes, its files, its user', async (t) => {
  const spec = guest.shell('echo shared > /file; exec sleep 1000');
  await guest.start(spec);
  const { out, state } = await guest.exec(spec.id, ['sh', '-c', 'cat /file; ps; id -u; exit 4'], { user: 'web' });
  t.regex(out, /^shared\n/);
  t.regex(out, /1 root +sleep 1000/);
  t.regex(out, /^33$/m);
  t.deepEqual(state, { running: false, exitCode: 4, pid: 0 });
  const echoed = await guest.exec(spec.id, ['cat'], { stdin: true }, 'x'.repeat(200_000));
  t.is(echoed.out.length, 200_000);
});

test.serial('a missing program is told in the words docker expects', async (t) => {
  const spec = guest.shell('', { argv: ['no-such-program'] });
  const error = await t.throwsAsync(guest.start(spec));
  t.regex(error.message, /exec: `no-such-program`: executable file not found in \$PATH/);
});

test.serial('a container that takes more memory than it may is killed and marked', async (t) => {
  const spec = guest.shell('x=a; while :; do x=$x$x; done', { limits: { memory: { limit: 32 * 1024 * 1024 } } });
  t.like(await guest.run(spec), { exitCode: 137, oomKilled: true });
});

test.serial('a container that ignores its stop signal is killed with all its processes', async (t) => {
  const spec = guest.shell('trap "" TERM; sleep 1000 & echo ready; while :; do sleep 1; done');
  await guest.start(spec);
  const path = `/v1/containers/${spec.id}/stop?seconds=0`;
  t.like(await guest.trunk.request({ method: 'POST', path }, ContainerState), { status: 'exited', exitCode: 137 });
});

test.serial('two containers listen on the same port, each reached in its own network', async (t) => {
  const serve = (text: string) =>
    guest.shell(`echo ${text} > /index.html; httpd -p 127.0.0.1:80 -h /; exec sleep 1000`);
  const [first, second] = [serve('first'), serve('second')];
  await guest.start(first);
  await guest.start(second);
  t.regex(await fetchPage(first.id), /\r\n\r\nfirst\n$/);
  t.regex(await fetchPage(second.id), /\r\n\r\nsecond\n$/);
  const refused = guest.trunk.open({ method: 'POST', path: `/v1/containers/${first.id}/ports/81` });
  await t.throwsAsync(refused, { message: /ECONNREFUSED/ });
});

test.serial('what a container leaves in its files goes with it', async (t) => {
  const deep =
    'i=0; while [ $i -lt 60 ]; do mkdir -p nnnnnnnnnnnnnnnnnnnn/mmmmmmmmmm; cd -P nnnnnnnnnnnnnnnnnnnn/mmmmmmmmmm; i=$((i+1)); done';
  const spec = guest.shell(`mkdir /work; cd /work; ${deep}; ln -s / link; mkfifo fifo`);
  await guest.run(spec);
  const path = `/v1/containers/${spec.id}`;
  await guest.trunk.send({ method: 'DELETE', path });
  await guest.trunk.send({ method: 'DELETE', path });
  await t.throwsAsync(guest.trunk.request({ method: 'GET', path }, ContainerRecord), { code: 'not-found' });
});

test.serial('containers run on while the agent is restarted, and no line is lost', async (t) => {
  const counting = guest.shell('i=0; while [ $i -lt 150 ]; do echo $i; i=$((i+1)); sleep 0.1; done; exit 5');
  const quick = guest.shell('sleep 1; echo gone; exit 6');
  await guest.start(counting);
  await guest.start(quick);
  await guest.restartAgent();
  const followed = await readAll(
    await guest.trunk.read({ method: 'GET', path: `/v1/containers/${counting.id}/logs?stdout=1&follow=1` }),
  );
  t.is(framed(followed, 1), Array.from({ length: 150 }, (_, i) => `${i}\n`).join(''));
  t.like(await guest.wait(counting.id), { exitCode: 5 });
  t.like(await guest.wait(quick.id), { exitCode: 6 });
  t.is(await guest.logs(quick.id), 'gone\n');
  const layers = await guest.trunk.request({ method: 'GET', path: '/v1/layers' }, v.array(v.string()));
  t.deepEqual(layers, [guest.layer.diffId]);
});

async function fetchPage(id: string): Promise<string> {
  const stream = await guest.trunk.open({ method: 'POST', path: `/v1/containers/${id}/ports/80` });
  stream.end('GET /index.html HTTP/1.0\r\n\r\n');
  return (await readAll(stream)).toString();
}
