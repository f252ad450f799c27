// Usage: node bench/chart.mjs
// Draws bench/results/*.json as docs/speed.svg. The length of a bar is our time or memory divided by that of the other,
// which is the peer unless the row says `beside`. A line marks the goal.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [WIDTH, LABELS, ROW, BAR] = [940, 410, 26, 14];
const scale = WIDTH - LABELS - 190; // The length of a bar for the ratio 1, in pixels.
const encode = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const text = (x, y, content, more = '') => `<text x="${x}" y="${y}" ${more}>${encode(content)}</text>`;

const folder = join(root, 'bench', 'results');
const shapes = [];
let y = 20;
for (const file of readdirSync(folder).sort()) {
  const { machine, date, rows } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  shapes.push(text(0, y, `${machine} (${date})`, 'class="machine"'));
  y += 10;
  const bars = rows
    .filter(({ ratio }) => ratio !== undefined)
    .flatMap(({ what, goal, ratio, ours_s, other_s, memory_goal, memory_ratio, ours_mib, other_mib }) => [
      { label: what, goal, ratio, kind: 'time', figures: `${ours_s.toPrecision(3)} of ${other_s.toPrecision(3)} s` },
      ...(memory_ratio === undefined
        ? []
        : [
            {
              label: 'its memory',
              goal: memory_goal,
              ratio: memory_ratio,
              kind: 'memory',
              figures: `${(ours_mib / 1024).toFixed(1)} of ${(other_mib / 1024).toFixed(1)} GiB`,
            },
          ]),
    ]);
  for (const { label, goal, ratio, kind, figures } of bars) {
    const top = y + (ROW - BAR) / 2;
    shapes.push(text(LABELS - 10, y + ROW / 2 + 4, label, 'text-anchor="end"'));
    shapes.push(`<rect x="${LABELS}" y="${top}" width="${scale}" height="${BAR}" class="other"/>`);
    shapes.push(
      `<rect x="${LABELS}" y="${top}" width="${(scale * ratio).toFixed(1)}" height="${BAR}" class="${kind}"/>`,
    );
    const mark = LABELS + scale * goal;
    shapes.push(`<path d="M${mark.toFixed(1)} ${top - 2}v${BAR + 4}" class="goal"/>`);
    const beside = LABELS + Math.max(1, ratio, goal) * scale + 8;
    shapes.push(text(beside.toFixed(1), y + ROW / 2 + 4, `${ratio.toFixed(2)}  (${figures})`));
    y += ROW;
  }
  y += 34;
}
const style = `text{font:13px sans-serif;fill:#24292f}.machine{font-weight:bold}.other{fill:#d0d7de}.time{fill:#0969da}.memory{fill:#8250df}.goal{stroke:#24292f}`;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y - 30}" width="${WIDTH}" role="img" aria-label="Time and memory as shares of those of other programs">
<style>${style}</style>
<rect width="100%" height="100%" fill="#ffffff"/>
${shapes.join('\n')}
</svg>
`;
writeFileSync(join(root, 'docs', 'speed.svg'), svg);
