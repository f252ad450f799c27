/** Starts the page. */
import { render } from 'preact';
import { html } from '../../components/html.js';
import { loadList } from './api.js';
import { App } from './app.js';

const root = document.body;
try {
  const list = await loadList();
  document.title = `Review of ${list.title}`;
  render(html`<${App} list=${list} />`, root);
} catch (error) {
  render(html`<p class="failed" role="alert">The pairs could not be loaded. ${(error as Error).message}</p>`, root);
}
