import { readFileSync } from 'node:fs';
import { extname } from 'node:path';

/** A file that a page consists of. Read once: no request ever becomes the name of a file. */
export interface PageFile {
  readonly contentType: string;
  readonly body: Buffer;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Undefined: no page has files of this kind. */
export function readPageFile(path: string): PageFile | undefined {
  const contentType = CONTENT_TYPES[extname(path)];
  return contentType === undefined ? undefined : { contentType, body: readFileSync(path) };
}

/** What the page of a listener may do beyond asking it for its own files. */
export interface PageRights {
  /** Where its pictures may be from. */
  readonly images: string;
  /** Where its forms may be sent. */
  readonly forms: string;
}

/** Of a page of this origin alone: no script or style of elsewhere or of the page's own text, and no frame around it. */
export function pageHeaders({ images, forms }: PageRights): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      `img-src ${images}`,
      "connect-src 'self'",
      "base-uri 'none'",
      `form-action ${forms}`,
      "frame-ancestors 'none'",
    ].join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Frame-Options': 'DENY',
    'Cache-Control': 'no-store',
  };
}
