import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The first column of the table under a heading of a file in `docs`. */
export function rowsOf(file: string, heading: string): string[] {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', file), 'utf8');
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.split('|')[1]?.trim() ?? '');
}
