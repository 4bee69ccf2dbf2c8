import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PanelFile {
  readonly contentType: string;
  readonly body: Buffer;
}

/** What the panel consists of. */
export interface PanelFiles {
  /** Of every address below `/inspect` that is no file: the page finds its way by itself. */
  readonly page: PanelFile;
  /** By the name in `/inspect/assets/`, which changes with the content. */
  readonly assets: ReadonlyMap<string, PanelFile>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Read once: no request ever becomes the name of a file. Undefined: the panel was not built. */
export function readPanelFiles(): PanelFiles | undefined {
  const folder = panelFolder();
  if (folder === undefined) return undefined;
  const assets = join(folder, 'assets');
  const names = existsSync(assets)
    ? readdirSync(assets).filter((name) => extname(name) in CONTENT_TYPES)
    : [];
  return {
    page: fileAt(join(folder, 'index.html')),
    assets: new Map(names.map((name) => [name, fileAt(join(assets, name))])),
  };
}

const fileAt = (path: string): PanelFile => ({
  contentType: CONTENT_TYPES[extname(path)] as string,
  body: readFileSync(path),
});

/** From `dist/src/admin` and from `src/admin`. */
function panelFolder(): string | undefined {
  return ['../../panel', '../../dist/panel']
    .map((up) => fileURLToPath(new URL(up, import.meta.url)))
    .find((folder) => existsSync(join(folder, 'index.html')) && existsSync(join(folder, 'assets')));
}
