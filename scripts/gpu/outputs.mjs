// Reads the outputs of the parts. Each function returns whether the part passed, a line of text, and its figures.

const failures = (output) => output.split('\n').filter((line) => line.startsWith('FAIL'));

/** Reads the output of a program of tests, which ends with `N passed, N failed`. */
export function readCounts(output) {
  const counts = /(\d+) passed, (\d+) failed\s*$/m.exec(output);
  if (!counts) return { ok: false, line: 'the output has no count of tests' };
  const [passed, failed] = counts.slice(1).map(Number);
  const failing = failures(output);
  return {
    ok: failed === 0 && passed > 0,
    line: `${passed} passed, ${failed} failed${failing.length > 0 ? `: ${failing[0]}` : ''}`,
    figures: { passed, failed, failing },
  };
}

/** Reads the output of compute-sanitizer, which ends with `ERROR SUMMARY: N errors`, around one of tests. */
export function readSanitizer(output) {
  const tests = readCounts(output.slice(0, output.lastIndexOf('=========')));
  const summary = /(?:ERROR|RACECHECK) SUMMARY: (\d+) (?:error|hazard)/.exec(output);
  if (!summary) return { ok: false, line: 'the output has no summary of errors' };
  const errors = Number(summary[1]);
  return { ok: tests.ok && errors === 0, line: `${errors} errors; ${tests.line}`, figures: { errors } };
}

const jsonLines = (output) =>
  output.split('\n').flatMap((line) => {
    try {
      return line.startsWith('{') ? [JSON.parse(line)] : [];
    } catch {
      return [];
    }
  });

/** Reads the last line of JSON, which has the keys of a benchmark. */
export function readBenchmark(output) {
  const figures = jsonLines(output).at(-1);
  if (typeof figures?.median_s !== 'number') return { ok: false, line: 'the output has no median_s' };
  const { median_s, min_s, max_s, peak_mib, dtype } = figures;
  const range = min_s === undefined ? '' : ` (${min_s.toPrecision(3)} to ${max_s.toPrecision(3)})`;
  const memory = peak_mib === undefined ? '' : `, peak ${peak_mib} MiB`;
  return { ok: true, line: `${median_s.toPrecision(4)} s${range}${memory}, ${dtype}`, figures };
}

/** Reads a line of JSON for each check, with `check`, `ok` and figures. The last line has `checks`, their number. */
export function readChecks(output) {
  const lines = jsonLines(output);
  const checks = lines.filter(({ check }) => check !== undefined);
  const bad = checks.filter(({ ok }) => !ok);
  const isWhole = lines.at(-1)?.checks === checks.length && checks.length > 0;
  const first = bad[0] ? `: ${bad[0].check} ${bad[0].error ?? JSON.stringify(bad[0].figures)}` : '';
  return {
    ok: isWhole && bad.length === 0,
    line: `${checks.length - bad.length} of ${checks.length} hold${isWhole ? '' : ', and others did not run'}${first}`,
    figures: { checks },
  };
}

/** Reads the CSV of ncu and adds the time of each kernel. */
export function readKernels(output) {
  const total = new Map();
  for (const line of output.split('\n')) {
    const cells = [...line.matchAll(/"((?:[^"]|"")*)"/g)].map(([, cell]) => cell);
    const at = cells.indexOf('gpu__time_duration.sum');
    if (at < 0) continue;
    const name = cells[4].replace(/\(.*/, '').slice(0, 80);
    const scale = { ns: 1e-9, nsecond: 1e-9, us: 1e-6, usecond: 1e-6, ms: 1e-3, msecond: 1e-3 }[cells[at + 1]];
    const seconds = Number(cells[at + 2].replaceAll(',', '')) * scale;
    const { calls, seconds: before } = total.get(name) ?? { calls: 0, seconds: 0 };
    total.set(name, { calls: calls + 1, seconds: before + seconds });
  }
  const kernels = [...total].map(([kernel, row]) => ({ kernel, ...row })).sort((a, b) => b.seconds - a.seconds);
  if (kernels.length === 0) return { ok: false, line: 'ncu reported no kernel' };
  const [{ kernel, seconds }] = kernels;
  return {
    ok: true,
    line: `${kernels.length} kernels; most time, ${(1e3 * seconds).toFixed(2)} ms, takes ${kernel}`,
    figures: { kernels: kernels.slice(0, 30) },
  };
}
