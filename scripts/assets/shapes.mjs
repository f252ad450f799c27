// Outlines of objects as signed distances in pixels, negative inside: functions of (x, y).
const hypot = Math.hypot;

/** Turns and shifts an outline. */
function at(cx, cy, angle, outline) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return (x, y) => outline((x - cx) * cos + (y - cy) * sin, (y - cy) * cos - (x - cx) * sin);
}

function roundedBox(halfWidth, halfHeight, radius) {
  return (u, v) => {
    const qx = Math.abs(u) - halfWidth + radius;
    const qy = Math.abs(v) - halfHeight + radius;
    return hypot(Math.max(qx, 0), Math.max(qy, 0)) + Math.min(Math.max(qx, qy), 0) - radius;
  };
}

/** A curve r(angle) about the centre; its distance is approximate. */
const polar = (radius) => (u, v) => hypot(u, v) - radius(Math.atan2(v, u));

/** A radius that wavers smoothly, from a few random harmonics. */
function wavering(random, r, amount) {
  const waves = Array.from({ length: 7 }, (_, k) => [
    k + 2,
    (amount * random.normal()) / (k + 1),
    random.range(0, 6.3),
  ]);
  return (angle) => r * (1 + waves.reduce((sum, [n, a, phase]) => sum + a * Math.cos(n * angle + phase), 0));
}

/** Kinds of outlines; each takes (random, r), r being half the object's size in pixels. */
export const outlines = {
  disc: (_random, r) => (u, v) => hypot(u, v) - r,
  ring: (random, r) => {
    const hole = r * random.range(0.3, 0.7);
    return (u, v) => Math.max(hypot(u, v) - r, hole - hypot(u, v));
  },
  box: (random, r) => roundedBox(r, r * random.range(0.3, 1), r * random.range(0.02, 0.25)),
  bar: (random, r) => roundedBox(4 * r, r * random.range(0.15, 0.6), 2),
  gear: (random, r) => {
    const teeth = random.integer(8, 28);
    const depth = random.range(0.05, 0.15);
    return polar((angle) => r * (1 + depth * Math.max(-0.5, Math.min(0.5, 2 * Math.sin(teeth * angle)))));
  },
  polygon: (random, r) => {
    const sector = (2 * Math.PI) / random.integer(3, 8);
    return polar((angle) => {
      const off = angle - sector * Math.round(angle / sector);
      return (r * Math.cos(sector / 2)) / Math.cos(off);
    });
  },
  lump: (random, r) => polar(wavering(random, r, 0.09)),
  threaded: (random, r) => {
    const radius = r * random.range(0.2, 0.5);
    const pitch = random.range(10, 30);
    const depth = random.range(0.1, 0.3) * radius;
    return (u, v) => Math.abs(v) - radius - depth * Math.abs(Math.sin((Math.PI * (u + 0.2 * v)) / pitch));
  },
};

/** An outline of random kind, size and place; a large one is seen in part. Returns { name, outline, angle }. */
export function randomOutline(random, size) {
  const name = random.pick(Object.keys(outlines));
  const r = random.range(0.2, 0.9) * size;
  const angle = random.range(0, 2 * Math.PI);
  const away = Math.max(0, r - 0.15 * size) * random.next();
  const direction = name === 'bar' || name === 'threaded' ? angle + Math.PI / 2 : random.range(0, 2 * Math.PI);
  const cx = size / 2 + away * Math.cos(direction) * 0.9;
  const cy = size / 2 + away * Math.sin(direction) * 0.9;
  return { name, angle, outline: at(cx, cy, angle, outlines[name](random, r)) };
}
