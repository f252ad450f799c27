/**
 * What the package runs on. Plain JavaScript, because `scripts/setup.mjs` asks before anything is compiled.
 */

/** The oldest versions that work: Debian 12 and Ubuntu 22.04 have these libraries. `scripts/check-glibc.mjs` checks ours. */
export const REQUIRED = { node: '20.19', glibc: '2.34', glibcxx: '3.4.30' };

const IMAGE = 'node:22-bookworm';
/** @type {Record<string, string>} */
const SYSTEMS = { darwin: 'macOS', win32: 'Windows', linux: 'Linux' };

/**
 * @typedef {object} Platform
 * @property {string} platform as `process.platform` names it
 * @property {string} arch as `process.arch` names it
 * @property {'glibc' | 'musl' | undefined} libc undefined where Node does not say
 * @property {string | undefined} glibc the version of glibc
 * @property {readonly string[]} sharedObjects the libraries that Node has opened
 */

/**
 * The platform of this process, from Node's own report.
 * @returns {Platform}
 */
export function thisPlatform() {
  const { platform, arch, report } = process;
  /** @type {{ header?: { glibcVersionRuntime?: string }, sharedObjects?: string[] }} */
  let found = {};
  if (platform === 'linux' && report) {
    const before = /** @type {any} */ (report).excludeNetwork;
    /** @type {any} */ (report).excludeNetwork = true; // else it asks the name server for every open connection
    found = /** @type {typeof found} */ (report.getReport());
    /** @type {any} */ (report).excludeNetwork = before;
  }
  const glibc = found.header?.glibcVersionRuntime;
  const sharedObjects = found.sharedObjects ?? [];
  const isMusl = sharedObjects.some((file) => /libc\.musl-|ld-musl-/.test(file));
  return { platform, arch, glibc, sharedObjects, libc: glibc ? 'glibc' : isMusl ? 'musl' : undefined };
}

/**
 * Whether a version such as 2.34 or 20.19.0 is older than another one.
 * @param {string} version
 * @param {string} other
 */
export const isOlder = (version, other) => version.localeCompare(other, 'en', { numeric: true }) < 0;

/**
 * Why the package does not run on a platform and what to use there instead; undefined where it does.
 * @param {Pick<Platform, 'platform' | 'arch' | 'libc' | 'glibc'>} where
 * @returns {{ reason: string, advice: string } | undefined}
 */
export function unsupportedPlatform({ platform, arch, libc, glibc }) {
  const needed = 'dualanodiff runs on x86-64 Linux with glibc only';
  const found = `this is ${SYSTEMS[platform] ?? platform} on ${arch}`;
  const container = `docker run --rm -it --platform linux/amd64 ${IMAGE}`;
  if (platform === 'win32' && arch === 'x64') {
    const advice = 'Use WSL2: `wsl --install -d Ubuntu-24.04`, then install Node and the package inside of it.';
    return { reason: `${needed}; ${found}`, advice };
  }
  if (platform === 'linux' && arch === 'ia32') {
    return { reason: `${needed}; this is a 32-bit Node`, advice: 'Install the x64 build of Node.' };
  }
  if (platform !== 'linux' || arch !== 'x64') {
    const isEmulated = arch !== 'x64';
    const advice = `Use an x86-64 Linux machine or a container${isEmulated ? ' (slow, because it is emulated)' : ''}: \`${container}\`.`;
    return { reason: `${needed}; ${found}`, advice };
  }
  if (libc === 'musl') {
    const advice = `Use an image with glibc, such as ${IMAGE} instead of node:22-alpine.`;
    return { reason: `${needed}; this Linux has musl (Alpine)`, advice };
  }
  if (glibc !== undefined && isOlder(glibc, REQUIRED.glibc)) {
    const advice = `Use a newer system (Debian 12, Ubuntu 22.04) or a container such as ${IMAGE}.`;
    return { reason: `glibc ${REQUIRED.glibc} or newer is needed; this system has ${glibc}`, advice };
  }
  return undefined;
}
