/** Which process of which machine something is, and whether it is still running. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  host: string;
  /** Of the machine; another after each start of it. */
  boot?: string | undefined;
  /** Containers count their processes apart. */
  pidNamespace?: string | undefined;
  pid: number;
  /** When the process started, as /proc counts it: another process may have the same number later. */
  started?: string | undefined;
}

function procValue(read: () => string): string | undefined {
  try {
    return read().trim();
  } catch {
    return undefined; // there is no /proc, or it does not show this
  }
}

/** State and start of a process in /proc/<pid>/stat; its second field, the command, may hold anything. */
function statOf(pid: number | 'self'): { state: string; started: string } | undefined {
  const stat = procValue(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
}

let identity: ProcessIdentity | undefined;

/** This process. */
export function self(): ProcessIdentity {
  identity ??= {
    host: hostname(),
    boot: procValue(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    pidNamespace: procValue(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    started: statOf('self')?.started,
  };
  return identity;
}

/** Whether there is a process of this number here, whatever it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // EPERM: it is another user's
  }
}

/** Whether a process is running; undefined where that cannot be told from here: on another machine or in another container. */
export function isRunning({ host, boot, pidNamespace, pid, started }: ProcessIdentity): boolean | undefined {
  const here = self();
  if (host !== here.host) return undefined;
  if (boot !== here.boot) return false;
  if (pidNamespace !== here.pidNamespace) return undefined;
  if (!isAlive(pid)) return false;
  const stat = statOf(pid);
  if (stat === undefined || started === undefined) return true;
  return stat.started === started && !['Z', 'X'].includes(stat.state); // a zombie has ended
}
