/** The text behind a published port, given as `nest ps` prints it: `127.0.0.1:8080->80/tcp`. */
export async function fetchText(port: string | undefined, file = '/'): Promise<string> {
  const address = port?.split('->')[0];
  if (address === undefined) throw new Error('no port is published');
  const response = await fetch(`http://${address}${file}`, { headers: { connection: 'close' } });
  return response.text();
}
