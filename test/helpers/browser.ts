import { existsSync } from 'node:fs';

/** The browser that opens reports: Debian's Chromium, or Google Chrome, because Ubuntu's Chromium is a snap. */
export function browserPath(): string {
  const places = ['/usr/bin/chromium', '/usr/bin/google-chrome-stable', '/usr/bin/google-chrome'];
  const found = places.find((place) => existsSync(place));
  if (!found)
    throw new Error('no browser: install chromium (on Debian), or Google Chrome (on Ubuntu, whose chromium is a snap)');
  return found;
}
