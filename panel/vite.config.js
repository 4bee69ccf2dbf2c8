import { defineConfig } from 'vite';

/** `scripts/build.mjs` runs this; the admin listener serves what it writes. */
export default defineConfig({
  base: '/inspect/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/panel',
    emptyOutDir: true,
    target: ['chrome123', 'firefox125', 'safari17.5'],
    // The content security policy knows no inline code; a data URL would be one.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
