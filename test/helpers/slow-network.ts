/**
 * A connection to another machine. Kernels without netem cannot delay and lose packets themselves, so that a proxy does
 * what TCP makes of them: a packet that is lost comes later, and while a cable is pulled nothing comes at all.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A packet that is lost is sent again after about this time. */
const RETRANSMIT_MS = 300;

export interface NetworkSettings {
  /** Each packet takes this time, in both directions. */
  delayMs: number;
  /** One of this many packets is lost. */
  lossOneOf: number;
}

export class SlowNetwork {
  #packets = 0;
  #cut: PromiseWithResolvers | undefined;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly settings: NetworkSettings,
  ) {}

  /** Starts a way to a port of this machine. */
  static async start(target: number, settings: NetworkSettings): Promise<SlowNetwork> {
    const server = createServer();
    const network = new SlowNetwork(server, settings);
    server.on('connection', (near) => {
      const far = connect(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        network.#sockets.add(from);
        from.on('close', () => network.#sockets.delete(from));
        from.on('error', () => to.destroy());
        network.#pass(from, to);
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return network;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Pulls the cable. Nobody is told, and what is sent now arrives after `mend`. */
  cut(): void {
    this.#cut ??= withResolvers();
  }

  mend(): void {
    this.#cut?.resolve();
    this.#cut = undefined;
  }

  async stop(): Promise<void> {
    this.mend();
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #pass(from: Socket, to: Socket): void {
    const { delayMs, lossOneOf } = this.settings;
    let before = Promise.resolve();
    const send = (deliver: () => void) => {
      const isLost = ++this.#packets % lossOneOf === 0;
      const arrived = wait(delayMs + (isLost ? RETRANSMIT_MS : 0));
      before = Promise.all([before, arrived]).then(async () => {
        while (this.#cut) await this.#cut.promise;
        deliver();
      });
    };
    from.on('data', (data) => send(() => to.write(data)));
    from.on('end', () => send(() => to.end()));
  }
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve(): void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
