/** Starts Debian's Redis for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** These are below the ports of outgoing connections, one of which could take a port while its server starts again. */
const PORTS = { first: 20_000, count: 12_000 };

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** A Redis with its own folder, which keeps every write, so that it can be killed and started again. */
export class RedisServer {
  #process: ChildProcess | undefined;
  readonly url: string;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly password: string | undefined,
  ) {
    this.url = `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`;
  }

  static async start(folder: string, password?: string): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), folder, password);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const settings = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--save', ''];
    settings.push('--appendonly', 'yes', '--appendfsync', 'always');
    if (this.password !== undefined) settings.push('--requirepass', this.password);
    const server = spawn('redis-server', settings, { stdio: 'ignore' });
    this.#process = server;
    server.on('error', (error) => {
      throw new Error(`the tests need redis-server (apt-get install redis-server): ${error.message}`);
    });
    const client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: 1 });
    client.on('error', () => {});
    // The Redis of another test could answer at a port that this one did not get.
    while (!(await client.info('server').catch(() => '')).includes(`process_id:${server.pid}\r`)) {
      if (server.exitCode !== null) throw new Error(`redis-server ended with status ${server.exitCode}`);
      await wait(50);
    }
    client.disconnect();
  }

  /** Lets Redis hang, so that it keeps its connections and answers nothing, or go on. */
  hang(isHanging: boolean): void {
    this.#process?.kill(isHanging ? 'SIGSTOP' : 'SIGCONT');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    running.kill(signal);
    await once(running, 'exit');
  }
}
