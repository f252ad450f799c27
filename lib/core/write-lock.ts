/**
 * One writer at a time for a folder, or for an adapter with its log and checkpoints.
 *
 * Each writer leaves a claim, a file with a name of its own that says who wrote it, and then looks for others. Of two that
 * come at once at least one sees the other's claim, so never do both go on. Claims of dead processes are removed; as no
 * two have one name, a live one is never removed in their place.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { DualAnoDiffError, FileAccessError, fileErrorReason, withFileErrors } from './errors.js';
import { writeFileAtomic } from './files.js';
import { isRunning, self } from './process-identity.js';

const claimSchema = z.object({
  host: z.string(),
  boot: z.string().optional(),
  pidNamespace: z.string().optional(),
  pid: z.number().int(),
  started: z.string().optional(),
  since: z.string(),
});
type Claim = z.output<typeof claimSchema>;

/**
 * Of several that come at once all step back but the one whose claim is first by name, which waits for that. One that finds
 * the place in use gives up after half a second.
 */
const WAITS = 5;
const WAIT_MS = 100;

/** The claims of this process, which go with it. */
const held = new Set<string>();
let cleansUp = false;

function removeAtExit(): void {
  for (const claim of held) rmSync(claim, { force: true });
}

/** Says that this process writes to a place, until it is released. */
export class WriteLock {
  /** @internal */
  constructor(
    /** The folder or file. */
    readonly place: string,
    private readonly claim: string,
    /** The folders that were made for it, the innermost first. */
    private made: readonly string[],
  ) {}

  /** Lets others write. Folders that were made for the lock and are still empty go with it. May be called twice. */
  async release(): Promise<void> {
    await removeClaim(this.claim);
    const { made } = this;
    this.made = []; // made again, they are another's
    await removeEmpty(made);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** Takes a folder, which is made if need be. Throws ERR_BUSY naming the process that writes to it. */
export function lockFolder(folder: string): Promise<WriteLock> {
  const place = resolve(folder);
  return lock(place, join(place, '.lock-'));
}

/** Takes a file and those that belong to it. Throws ERR_BUSY naming the process that writes to it. */
export function lockFile(file: string): Promise<WriteLock> {
  const place = resolve(file);
  return lock(place, `${place}.lock-`);
}

async function lock(place: string, prefix: string): Promise<WriteLock> {
  const made = await makeFolder(dirname(prefix));
  try {
    return new WriteLock(place, await claimAlone(place, prefix), made);
  } catch (error) {
    await removeEmpty(made);
    throw error;
  }
}

/** Makes a folder and those that it is in, and returns the ones that were not there, the innermost first. */
async function makeFolder(folder: string): Promise<string[]> {
  const first = await withFileErrors('make', folder, () => mkdir(folder, { recursive: true }));
  if (first === undefined) return [];
  const made: string[] = [];
  for (let path = folder; path.length >= first.length; path = dirname(path)) made.push(path);
  return made;
}

async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rmdir(folder).catch(() => {}); // it holds files now, or is gone
}

/** Returns this process's claim once no other is beside it. */
async function claimAlone(place: string, prefix: string): Promise<string> {
  let own: string | undefined;
  for (let waits = 0; ; ) {
    const others = await otherClaims(prefix, own);
    if (others.length === 0) {
      if (own !== undefined) return own;
      own = await writeClaim(prefix);
      continue;
    }
    const isFirst = own !== undefined && others.every(({ file }) => file > (own as string));
    if (own !== undefined && (!isFirst || waits === WAITS)) {
      await removeClaim(own);
      own = undefined;
    }
    if (waits++ === WAITS) throw busy(place, others[0] as OtherClaim);
    await wait(WAIT_MS);
  }
}

async function writeClaim(prefix: string): Promise<string> {
  const claim = `${prefix}${process.pid}-${randomBytes(4).toString('hex')}`;
  if (!cleansUp) process.on('exit', removeAtExit);
  cleansUp = true;
  held.add(claim);
  try {
    const content: Claim = { ...self(), since: new Date().toISOString() };
    await writeFileAtomic(claim, `${JSON.stringify(content)}\n`);
    return claim;
  } catch (error) {
    held.delete(claim);
    if (!(error instanceof FileAccessError)) throw error;
    const { cause } = error; // its message names the claim, which means nothing to users
    throw new FileAccessError(`Cannot write to ${dirname(claim)}: ${fileErrorReason(cause as Error)}`, { cause });
  }
}

async function removeClaim(claim: string): Promise<void> {
  await rm(claim, { force: true });
  held.delete(claim);
}

interface OtherClaim {
  file: string;
  /** Undefined where the file cannot be read as one. */
  claim: Claim | undefined;
  running: boolean | undefined;
}

/** The claims beside `own` of processes that are alive, or of which that cannot be told. Those of dead ones are removed. */
async function otherClaims(prefix: string, own: string | undefined): Promise<OtherClaim[]> {
  const others: OtherClaim[] = [];
  const folder = dirname(prefix);
  const names = await withFileErrors('read', folder, () => readdir(folder));
  for (const name of names) {
    const rest = name.startsWith(basename(prefix)) ? name.slice(basename(prefix).length) : '';
    const file = join(folder, name);
    if (!/^\d+-[0-9a-f]{8}$/.test(rest) || file === own) continue;
    const text = await readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) =>
      code === 'ENOENT' ? undefined : '',
    );
    if (text === undefined) continue; // released a moment ago
    const claim = parseClaim(text);
    const running = claim && isRunning(claim);
    if (running === false) await withFileErrors('remove', file, () => rm(file, { force: true }));
    else others.push({ file, claim, running });
  }
  return others;
}

function parseClaim(text: string): Claim | undefined {
  try {
    return claimSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function busy(place: string, { file, claim, running }: OtherClaim): DualAnoDiffError {
  const who = claim ? `process ${claim.pid} on ${claim.host} since ${claim.since}` : `whoever wrote ${file}`;
  const message = running
    ? `${place} is in use by ${claim?.pid === process.pid ? 'this process, ' : ''}${who}: wait for it, or choose another place`
    : `${place} may be in use by ${who}, which cannot be told from here: if that process has ended, remove ${file}`;
  return new DualAnoDiffError(message, 'ERR_BUSY');
}
