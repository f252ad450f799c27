// Fails when typings/ is not what tsc emits from lib/.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const fresh = mkdtempSync(join(tmpdir(), 'dualanodiff-typings-'));
try {
  const tsc = spawnSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '--emitDeclarationOnly', '--declarationDir', fresh],
    { stdio: 'inherit' },
  );
  if (tsc.status !== 0) process.exit(1);
  const list = (folder) =>
    readdirSync(folder, { recursive: true })
      .filter((name) => name.endsWith('.d.ts'))
      .sort();
  const names = list(fresh);
  const stale = names.filter((name) => {
    try {
      return readFileSync(join('typings', name), 'utf8') !== readFileSync(join(fresh, name), 'utf8');
    } catch {
      return true;
    }
  });
  const extra = list('typings').filter((name) => !names.includes(name));
  if (names.length === 0 || stale.length + extra.length > 0) {
    console.error(`typings are stale, run npm run build: ${[...stale, ...extra].join(', ') || 'none were emitted'}`);
    process.exit(1);
  }
  console.log(`typings: ${names.length} files are fresh`);
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
