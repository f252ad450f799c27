/** The templates of all components. */
export { html } from 'htm/preact';
