/**
 * Checks whether the package can run on this platform. This file is plain JavaScript because `scripts/setup.mjs`
 * imports it before TypeScript is installed.
 */

/**
 * The oldest versions that work. Debian 12 and Ubuntu 22.04 have these libraries. `scripts/check-glibc.mjs` checks that
 * our binaries need no newer ones.
 */
export const REQUIRED = { node: '20.19', glibc: '2.34', glibcxx: '3.4.30' };

const IMAGE = 'node:22-bookworm';
/** @type {Record<string, string>} */
const SYSTEMS = { darwin: 'macOS', win32: 'Windows', linux: 'Linux' };

/**
 * @typedef {object} Platform
 * @property {string} platform The value of `process.platform`.
 * @property {string} arch The value of `process.arch`.
 * @property {'glibc' | 'musl' | undefined} libc Undefined if Node does not report it.
 * @property {string | undefined} glibc The version of glibc.
 * @property {readonly string[]} sharedObjects The paths of the libraries that Node has loaded.
 */

/**
 * Describes the platform of this process, as Node's diagnostic report shows it.
 * @returns {Platform}
 */
export function thisPlatform() {
  const { platform, arch, report } = process;
  /** @type {{ header?: { glibcVersionRuntime?: string }, sharedObjects?: string[] }} */
  let found = {};
  if (platform === 'linux' && report) {
    const before = /** @type {any} */ (report).excludeNetwork;
    // Otherwise the report would look up the name of every open connection's peer, which can take long.
    /** @type {any} */ (report).excludeNetwork = true;
    found = /** @type {typeof found} */ (report.getReport());
    /** @type {any} */ (report).excludeNetwork = before;
  }
  const glibc = found.header?.glibcVersionRuntime;
  const sharedObjects = found.sharedObjects ?? [];
  const isMusl = sharedObjects.some((file) => /libc\.musl-|ld-musl-/.test(file));
  return { platform, arch, glibc, sharedObjects, libc: glibc ? 'glibc' : isMusl ? 'musl' : undefined };
}

/**
 * Returns true if a version such as 2.34 or 20.19.0 is older than another one.
 * @param {string} version
 * @param {string} other
 */
export const isOlder = (version, other) => version.localeCompare(other, 'en', { numeric: true }) < 0;

/**
 * Explains why the package does not run on a platform and what to use instead. Returns undefined for a supported
 * platform.
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
