/** Shows the process's warnings as one line each: Node's own frame, with its process id and a hint, is for programmers. */
export function showWarnings(): void {
  if (process.listenerCount('warning') === 0) return; // switched off with NODE_NO_WARNINGS or --no-warnings
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => {
    process.stderr.write(`${name === 'Warning' ? 'warning' : name}: ${message}\n`);
  });
}
