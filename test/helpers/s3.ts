/** Starts an S3-compatible server, with a proxy before it that can misbehave. */
import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import S3rver from 's3rver';

/**
 * The proxy passes a request on, answers with a status, cuts the answer after its first bytes, or passes the request on and
 * keeps the answer.
 */
export type Fault = 'none' | 412 | 500 | 503 | 'cut' | 'unanswered';

export interface S3Server {
  /** Decides about each request. */
  faultOf: (request: IncomingMessage) => Fault;
  /** The requests that came so far, as method and path, and their headers. */
  requests: { line: string; headers: IncomingMessage['headers'] }[];
  stop(): Promise<void>;
}

/** Starts a server with the bucket `bucket`, and makes the AWS SDK use it. */
export async function startS3(folder: string): Promise<S3Server> {
  const server = new S3rver({
    ...{ port: 0, address: '127.0.0.1', silent: true, directory: folder },
    configureBuckets: [{ name: 'bucket', configs: [] }],
  });
  const { port } = (await server.run()) as AddressInfo;
  const state: Pick<S3Server, 'faultOf' | 'requests'> = { faultOf: () => 'none', requests: [] };
  const proxy = createServer((request, response) => {
    state.requests.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    handle(request, response, state.faultOf(request), port);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    ...{ AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER', AWS_REGION: 'us-east-1' },
  });
  return Object.assign(state, {
    stop: async () => {
      await closed(proxy);
      await server.close();
    },
  });
}

function handle(request: IncomingMessage, response: ServerResponse, fault: Fault, port: number): void {
  if (typeof fault === 'number') {
    request.resume();
    request.on('end', () => response.writeHead(fault).end());
    return;
  }
  const { method, url: path, headers } = request;
  const passed = forward({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    if (fault === 'unanswered') {
      answer.resume();
      answer.on('end', () => response.destroy());
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    if (fault === 'none') return answer.pipe(response);
    answer.once('data', (chunk: Buffer) => {
      response.write(chunk.subarray(0, 10), () => response.destroy());
      answer.destroy();
    });
  });
  passed.on('error', () => response.destroy());
  request.pipe(passed);
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
