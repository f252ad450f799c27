/** Identifies a process across machines, containers and restarts, and checks whether it is still running. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  host: string;
  /** The kernel's boot id. It changes with every start of the machine. */
  boot?: string | undefined;
  /** The PID namespace. Each container has its own, so equal process ids may mean different processes. */
  pidNamespace?: string | undefined;
  pid: number;
  /** The start time from /proc, in clock ticks. A later process with a reused id has another one. */
  started?: string | undefined;
}

function procValue(read: () => string): string | undefined {
  try {
    return read().trim();
  } catch {
    return undefined; // The system has no /proc, or /proc lacks this file.
  }
}

/**
 * Reads the state and the start time of a process from /proc/<pid>/stat. The fields are counted from the last bracket
 * because the second field, the command, may hold spaces and brackets.
 */
function readProcStat(pid: number | 'self'): { state: string; started: string } | undefined {
  const stat = procValue(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
}

let identity: ProcessIdentity | undefined;

/** Returns the identity of this process. */
export function self(): ProcessIdentity {
  identity ??= {
    host: hostname(),
    boot: procValue(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    pidNamespace: procValue(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    started: readProcStat('self')?.started,
  };
  return identity;
}

/** Returns true if any process with this id exists here. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // EPERM means that another user owns the process.
  }
}

/**
 * Returns true if a process is running and false if it has ended. Returns undefined if it belongs to another machine or
 * container, whose processes are not visible from here.
 */
export function isRunning({ host, boot, pidNamespace, pid, started }: ProcessIdentity): boolean | undefined {
  const here = self();
  if (host !== here.host) return undefined;
  if (boot !== here.boot) return false;
  if (pidNamespace !== here.pidNamespace) return undefined;
  if (!isAlive(pid)) return false;
  const stat = readProcStat(pid);
  if (stat === undefined || started === undefined) return true;
  return stat.started === started && !['Z', 'X'].includes(stat.state); // Z (zombie) and X (dead) processes have ended.
}
