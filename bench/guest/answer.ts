import { createReadStream, createWriteStream, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { findPort } from '../../guest-agent/trunk/find-port.ts';
import { BENCH_PORT } from './contract.ts';

/** Does what the host asks for, by name, one after another, and answers with what it returns: contract.ts. */
export async function answerHost(actions: Record<string, () => unknown>): Promise<void> {
  const port = openSync(await findPort(BENCH_PORT), 'r+'); // once: the kernel refuses to open it twice
  const answers = createWriteStream('', { fd: port });
  // Its reads return nothing until the host has its end open, which it has before the guest boots.
  for await (const name of createInterface(createReadStream('', { fd: port }))) {
    const answer = await Promise.try(actions[name] ?? unknown, name).then(
      (result: unknown) => ({ result }),
      (error: unknown) => ({ error: String(error) }),
    );
    answers.write(`${JSON.stringify(answer)}\n`);
  }
}

function unknown(name: string): never {
  throw new Error(`there is no \`${name}\``);
}
