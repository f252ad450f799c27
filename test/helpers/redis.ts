/** Starts Debian's Redis for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';

/**
 * By default, Linux gives ports from 32768 on to outgoing connections. Such a connection could take the port of a server
 * that is starting again.
 */
const PORTS = { first: 20_000, count: 12_000 };

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
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
    let failure: Error | undefined;
    server.on('error', (error) => {
      failure = new Error(`the tests need redis-server (apt-get install redis-server): ${error.message}`);
    });
    server.on('exit', (status, signal) => {
      failure ??= new Error(`redis-server ended with ${signal ?? `status ${status}`}`);
    });
    const client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: 1, commandTimeout: 1000 });
    client.on('error', () => {});
    try {
      // The Redis of another test could answer at a port that this one did not get.
      while (!(await client.info('server').catch(() => '')).includes(`process_id:${server.pid}\r`)) {
        if (failure) throw failure;
        await wait(50);
      }
    } finally {
      client.disconnect();
    }
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
