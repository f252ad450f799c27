/** Starts the page. */
import { render } from 'preact';
import { html } from '../../components/html.js';
import { App } from './app.js';

render(html`<${App} />`, document.body);
