/** Starts Debian's Redis for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
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
    this.#process = spawn('redis-server', settings, { stdio: 'ignore' });
    this.#process.on('error', (error) => {
      throw new Error(`the tests need redis-server (apt-get install redis-server): ${error.message}`);
    });
    const client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', () => {});
    while ((await client.ping().catch(() => '')) !== 'PONG') await wait(50);
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
