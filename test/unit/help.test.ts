import { describe, expect, it } from 'vitest';
import { kebabCase, notesOf } from '../../lib/options/option.js';
import { commands, say } from '../helpers/commands.js';

/** The flags that a command's help shows. */
async function flagsIn(name: string, help: string): Promise<string[]> {
  const { output } = await say(name, help);
  return [...output.matchAll(/^ +(?:-\w, )?--([\w-]+)/gm)].map(([, flag]) => flag as string);
}

describe('the help of a command', () => {
  it.each(commands.map(({ name }) => name))('shows at most 15 options of %s', async (name) => {
    const flags = await flagsIn(name, '--help');
    expect(flags).toContain('help');
    expect(flags.length).toBeLessThanOrEqual(15);
  });

  it('shows at most 40 options of run in all', async () => {
    expect((await flagsIn('run', '--help-all')).length).toBeLessThanOrEqual(40);
  });

  it.each(commands)('shows the common options of $name, and with --help-all every option', async (command) => {
    const { name, options = {} } = command;
    const [common, all] = [await flagsIn(name, '--help'), await flagsIn(name, '--help-all')];
    for (const [option, schema] of Object.entries(options)) {
      const { tier } = notesOf(schema);
      const flag = new RegExp(`^(no-)?${kebabCase(option)}$`);
      expect(
        common.some((shown) => flag.test(shown)),
        option,
      ).toBe(tier === 'common');
      expect(
        all.some((shown) => flag.test(shown)),
        option,
      ).toBe(tier !== 'api');
    }
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(expect.arrayContaining(common));
  });

  it('says of every option what it does, in a sentence', () => {
    const texts = commands.flatMap(({ options = {} }) => Object.values(options).map((schema) => notesOf(schema).doc));
    expect(texts.length).toBeGreaterThan(100);
    expect(texts.filter((text) => !/^\w.*\.$/s.test(text))).toEqual([]);
  });
});
