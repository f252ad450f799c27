/** Stands in front of a Redis, and answers commands in its place when a test says so. */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

/** Returns the answer to a command, as Redis writes it, or undefined if Redis is to answer. */
export type Refuse = (command: string) => string | undefined;

/** Returns the name and the bytes of the first command, or undefined if it is not complete yet. */
function firstCommand(sent: Buffer): { name: string; bytes: number } | undefined {
  let at = 0;
  const line = () => {
    const end = sent.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const count = Number(sent.toString('latin1', at + 1, end));
    at = end + 2;
    return count;
  };
  let name = '';
  const words = line();
  if (words === undefined) return undefined;
  for (let i = 0; i < words; i++) {
    const length = line();
    if (length === undefined || sent.length < at + length + 2) return undefined;
    if (i === 0) name = sent.toString('latin1', at, at + length).toLowerCase();
    at += length + 2;
  }
  return { name, bytes: at };
}

export class RefusingRedis implements AsyncDisposable {
  refuse: Refuse = () => undefined;

  private constructor(private readonly server: Server) {}

  static async start(port: number): Promise<RefusingRedis> {
    const server = createServer((client) => {
      const redis = connect(port, '127.0.0.1');
      let sent = Buffer.alloc(0);
      for (const [from, to] of [
        [client, redis],
        [redis, client],
      ] as const) {
        from.on('error', () => {}); // The other end may go at any time.
        from.on('close', () => to.destroy());
      }
      redis.on('data', (data) => client.write(data));
      client.on('data', (data: Buffer) => {
        sent = Buffer.concat([sent, data]);
        for (let next = firstCommand(sent); next; next = firstCommand(sent)) {
          const answer = started.refuse(next.name);
          if (answer === undefined) redis.write(sent.subarray(0, next.bytes));
          else client.write(`${answer}\r\n`);
          sent = sent.subarray(next.bytes);
        }
      });
    }).listen(0, '127.0.0.1');
    const started = new RefusingRedis(server);
    await once(server, 'listening');
    return started;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
  }
}
