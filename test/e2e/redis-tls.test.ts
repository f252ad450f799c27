/** The queue in a Redis that wants TLS and a password. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../helpers/redis.js';
import { scratchFolder } from '../helpers/scratch.js';
import { ServerProcess } from '../helpers/serving.js';
import { PATIENCE_MS } from '../helpers/workers.js';

const folder = scratchFolder();
const PASSWORD = 'a-password-of-redis';
const TOKEN = 'a-token-that-is-long-enough';
const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
let redis: ChildProcess;
let port: number;

const serve = (password: string) => {
  const url = `rediss://:${password}@localhost:${port}`;
  return ServerProcess.start(['--redis', url, '--store', join(folder, 'store'), '--work-folder', folder], TOKEN);
};

beforeAll(async () => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
    stdio: 'ignore',
  });
  port = await freePort();
  const tls = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
  const settings = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', '--requirepass', PASSWORD];
  redis = spawn('redis-server', [...settings, ...tls, '--dir', folder, '--save', ''], { stdio: 'pipe' });
  await new Promise<void>((resolve) => {
    let output = '';
    redis.stdout?.on('data', (data) => {
      output += data;
      if (output.includes('Ready to accept connections')) resolve();
    });
  });
});
afterAll(async () => {
  delete process.env.NODE_EXTRA_CA_CERTS;
  redis.kill('SIGTERM');
  if (redis.exitCode === null) await once(redis, 'exit');
});

describe('a Redis with TLS', { timeout: PATIENCE_MS }, () => {
  it('is used if its certificate is known and the password is right', async () => {
    process.env.NODE_EXTRA_CA_CERTS = certificate;
    const server = await serve(PASSWORD);
    expect((await server.fetch('/readyz')).status).toBe(200);
    expect(await server.stop()).toBe(0);
    expect(server.output).not.toContain(PASSWORD);
    const failure = await serve('wrong').catch((error: Error) => error.message);
    expect(failure).toContain('ERR_QUEUE_UNAVAILABLE');
  });

  it('is refused if nobody vouches for its certificate', async () => {
    delete process.env.NODE_EXTRA_CA_CERTS;
    const failure = await serve(PASSWORD).catch((error: Error) => error.message);
    expect(failure).toMatch(
      /Cannot reach Redis at rediss:\/\/localhost:\d+: .*certificate.* \(ERR_QUEUE_UNAVAILABLE\)/,
    );
    expect(failure).not.toContain(PASSWORD);
  });
});
