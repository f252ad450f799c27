/**
 * Allows one writer at a time for a folder, or for an adapter with its log and checkpoints.
 *
 * Each writer creates a claim file that identifies its process, and then looks for other claims. If two writers start
 * at once, at least one of them sees the other's claim, so they never both continue. Claims of dead processes are
 * removed. Every claim has a unique name, so a live claim is never removed by mistake.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { DualAnoDiffError, FileAccessError, fileErrorReason, withFileErrors } from './errors.js';
import { createFolder, writeFileAtomic } from './files.js';
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
 * If several writers start at once, the one whose claim is first by name waits for the others to remove theirs. A
 * writer that still finds another claim after half a second gives up.
 */
const MAX_WAITS = 5;
const WAIT_MS = 100;

/** The claims of this process. They are removed when it exits. */
const heldClaims = new Set<string>();
let hasExitHandler = false;

function removeAtExit(): void {
  for (const claim of heldClaims) rmSync(claim, { force: true });
}

/** Reserves a folder or file for this process until it is released. */
export class WriteLock {
  /** @internal */
  constructor(
    /** The path of the folder or file. */
    readonly place: string,
    private readonly claim: string,
    /** The folders that were created for the lock, the innermost first. */
    private createdFolders: readonly string[],
  ) {}

  /** Releases the lock and removes folders that were created for it and are still empty. It may be called twice. */
  async release(): Promise<void> {
    await removeClaim(this.claim);
    const { createdFolders } = this;
    this.createdFolders = []; // A folder that is created again later belongs to somebody else.
    await removeEmpty(createdFolders);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** Locks a folder and creates it if it is missing. Throws ERR_BUSY with the process that writes to it. */
export function lockFolder(folder: string): Promise<WriteLock> {
  const place = resolve(folder);
  return lock(place, join(place, '.lock-'));
}

/** Locks a file and the files that belong to it. Throws ERR_BUSY with the process that writes to it. */
export function lockFile(file: string): Promise<WriteLock> {
  const place = resolve(file);
  return lock(place, `${place}.lock-`);
}

/** Returns true for the name of a claim on a folder or file, which disappears when its writer ends. */
export const isClaim = (name: string): boolean => /\.lock-\d+-[0-9a-f]{8}$/.test(name);

async function lock(place: string, prefix: string): Promise<WriteLock> {
  const created = await createFolders(dirname(prefix));
  try {
    return new WriteLock(place, await claimAlone(place, prefix), created);
  } catch (error) {
    await removeEmpty(created);
    throw error;
  }
}

/** Creates a folder and its parents. Returns the ones that were missing, the innermost first. */
async function createFolders(folder: string): Promise<string[]> {
  const first = await withFileErrors('create', folder, () => createFolder(folder));
  if (first === undefined) return [];
  const created: string[] = [];
  for (let path = folder; path.length >= first.length; path = dirname(path)) created.push(path);
  return created;
}

async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rmdir(folder).catch(() => {}); // rmdir refuses folders that hold files.
}

/** Returns this process's claim once there is no other claim. */
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
    if (own !== undefined && (!isFirst || waits === MAX_WAITS)) {
      await removeClaim(own);
      own = undefined;
    }
    if (waits++ === MAX_WAITS) throw busy(place, others[0] as OtherClaim);
    await wait(WAIT_MS);
  }
}

async function writeClaim(prefix: string): Promise<string> {
  const claim = `${prefix}${process.pid}-${randomBytes(4).toString('hex')}`;
  if (!hasExitHandler) process.on('exit', removeAtExit);
  hasExitHandler = true;
  heldClaims.add(claim);
  try {
    const content: Claim = { ...self(), since: new Date().toISOString() };
    await writeFileAtomic(claim, `${JSON.stringify(content)}\n`);
    return claim;
  } catch (error) {
    heldClaims.delete(claim);
    if (!(error instanceof FileAccessError)) throw error;
    const { cause } = error; // The original message names the claim file, which means nothing to users.
    throw new FileAccessError(`Cannot write to ${dirname(claim)}: ${fileErrorReason(cause as Error)}`, { cause });
  }
}

async function removeClaim(claim: string): Promise<void> {
  await rm(claim, { force: true });
  heldClaims.delete(claim);
}

interface OtherClaim {
  file: string;
  /** Undefined if the file does not hold a valid claim. */
  claim: Claim | undefined;
  running: boolean | undefined;
}

/** Returns the claims of other writers whose processes are running or cannot be checked. Removes those of dead ones. */
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
    if (text === undefined) continue; // Its owner released it a moment ago.
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
    : `${place} may be in use by ${who}, which cannot be checked from here: if that process has ended, remove ${file}`;
  return new DualAnoDiffError(message, 'ERR_BUSY');
}
