import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PageFile, readPageFile } from '../transport/page-file.ts';

/** What the panel consists of. */
export interface PanelFiles {
  /** Of every address below `/inspect` that is no file: the page finds its way by itself. */
  readonly page: PageFile;
  /** By the name in `/inspect/assets/`, which changes with the content. */
  readonly assets: ReadonlyMap<string, PageFile>;
}

/** Undefined: the panel was not built. */
export function readPanelFiles(): PanelFiles | undefined {
  const folder = panelFolder();
  if (folder === undefined) return undefined;
  const assets = readdirSync(join(folder, 'assets')).flatMap((name) => {
    const file = readPageFile(join(folder, 'assets', name));
    return file === undefined ? [] : [[name, file] as const];
  });
  return { page: readPageFile(join(folder, 'index.html')) as PageFile, assets: new Map(assets) };
}

/** From `dist/src/admin` and from `src/admin`. */
function panelFolder(): string | undefined {
  return ['../../panel', '../../dist/panel']
    .map((up) => fileURLToPath(new URL(up, import.meta.url)))
    .find((folder) => existsSync(join(folder, 'index.html')) && existsSync(join(folder, 'assets')));
}
