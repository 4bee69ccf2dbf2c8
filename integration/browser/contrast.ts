import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const SCRIPT = readFileSync(new URL('./contrast.js', import.meta.url), 'utf8');

/** Texts of a page that WCAG's AA calls too faint. */
export function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`${SCRIPT}\nfaintTexts();`);
}
