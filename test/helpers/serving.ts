/** Runs `dualanodiff serve` in a process of its own, and speaks to it as a client does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Job } from '../../lib/queue/job-queue.js';
import { main } from './cli.js';

export interface ServerEvent {
  id: string;
  data: Record<string, unknown> & { event: string };
}

export class ServerProcess {
  #output = '';
  readonly #process: ChildProcess;
  #address = '';

  private constructor(
    args: readonly string[],
    private readonly token: string,
  ) {
    const env = { ...process.env, DUALANODIFF_TOKEN: token };
    this.#process = spawn(process.execPath, [main, 'serve', '--port', '0', ...args], { env });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (data) => {
        this.#output += data;
      });
    }
  }

  static async start(args: readonly string[], token: string): Promise<ServerProcess> {
    const server = new ServerProcess(args, token);
    for (;;) {
      const [, address] = /^listening on (\S+)$/m.exec(server.#output) ?? [];
      if (address !== undefined) {
        server.#address = address;
        return server;
      }
      if (server.#process.exitCode !== null) throw new Error(server.#output);
      await wait(20);
    }
  }

  get output(): string {
    return this.#output;
  }

  fetch(path: string, request: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, ...request.headers };
    return fetch(this.#address + path, { ...request, headers });
  }

  async submit(kind: string, options: object): Promise<Job> {
    const body = JSON.stringify({ kind, options });
    const answer = await this.fetch('/v1/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const job = (await answer.json()) as Job;
    if (answer.status !== 202) throw new Error(JSON.stringify(job));
    return job;
  }

  /** Yields the events of a job, after the one with the identifier `after`. */
  async *events({ id }: Pick<Job, 'id'>, after?: string): AsyncGenerator<ServerEvent, void, undefined> {
    const headers = after === undefined ? {} : { 'last-event-id': after };
    const answer = await this.fetch(`/v1/jobs/${id}/events`, { headers });
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += new TextDecoder().decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, event, data] = /^id: (.+)\nevent: .+\ndata: (.+)$/.exec(block) ?? [];
        if (event !== undefined && data !== undefined) yield { id: event, data: JSON.parse(data) };
      }
    }
  }

  /** Follows a job to its end and returns its events. */
  async follow(job: Pick<Job, 'id'>): Promise<ServerEvent[]> {
    const events: ServerEvent[] = [];
    for await (const event of this.events(job)) events.push(event);
    return events;
  }

  /** Ends the process. Returns its exit code, or null if the signal has killed it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill(signal);
      await once(this.#process, 'exit');
    }
    return this.#process.exitCode;
  }
}
