/** The Dockerfile and the compose file of docs/deployment.md, which no engine builds here, pass linters. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../helpers/scratch.js';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'deployment.md'), 'utf8');
const folder = scratchFolder();

function blockOf(language: string): string {
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))];
  expect(blocks).toHaveLength(1);
  return blocks[0]?.[1] ?? '';
}

/** Returns what the linter of compose files says, which also checks them by the schema of their specification. */
function lintCompose(text: string): { rules: string[]; errors: number } {
  const file = join(folder, 'compose.yaml');
  writeFileSync(file, text);
  const program = join(root, 'node_modules', 'dclint', 'bin', 'dclint.cjs');
  const { stdout } = spawnSync(process.execPath, [program, '--formatter', 'json', file], { encoding: 'utf8' });
  const [{ messages, errorCount }] = JSON.parse(stdout) as [{ messages: { rule: string }[]; errorCount: number }];
  return { rules: messages.map(({ rule }) => rule), errors: errorCount };
}

describe('docs/deployment.md', () => {
  it('has a Dockerfile without a problem', () => {
    const dockerfile = blockOf('dockerfile');
    expect(validate(dockerfile).map(({ message }) => message)).toEqual([]);
    expect(validate(dockerfile.replace('WORKDIR', 'WORKFOLDER'))).not.toEqual([]);
    expect(dockerfile).toMatch(/^USER (?!root|0$)/m);
  });

  it('has a compose file that fits the specification', () => {
    const compose = blockOf('yaml');
    const { rules, errors } = lintCompose(compose);
    expect(errors).toBe(0);
    // These rules are about the order and the quotes of lines, and about a name that the folder gives.
    const style = ['service-keys-order', 'require-project-name-field'];
    expect(rules.filter((rule) => !style.includes(rule))).toEqual([]);
    expect(lintCompose(compose.replace('depends_on', 'depend_on')).errors).toBeGreaterThan(0);
  });

  it.runIf(existsSync('/usr/bin/systemd-analyze'))('has a unit that systemd takes', () => {
    const verify = (unit: string) => {
      const file = join(folder, 'dualanodiff-worker.service');
      writeFileSync(file, unit.replace(/(?<=^ExecStart=)\S+/m, process.execPath));
      return spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' }).stderr;
    };
    const unit = blockOf('ini');
    expect(verify(unit)).not.toContain('dualanodiff-worker');
    expect(verify(unit.replace('Restart=on-failure', 'Restart=sometimes'))).toContain('dualanodiff-worker');
  });

  it('has a compose file and a unit whose commands and the flags in them exist', () => {
    const options = readFileSync(join(root, 'docs', 'options.md'), 'utf8');
    const commands = [...blockOf('yaml').matchAll(/command: ((?:serve|worker) .*)/g)].map(([, command]) => command);
    expect(commands).toHaveLength(2);
    const [, unit = ''] = /^ExecStart=\S+ ((?:serve|worker) .*)$/m.exec(blockOf('ini')) ?? [];
    expect(unit).toContain('--store');
    for (const flag of [...commands, unit].join(' ').match(/--[\w-]+/g) ?? []) expect(options).toContain(`\`${flag}`);
  });
});
