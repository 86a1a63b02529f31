/// <reference types="vitest/config" />
import { defineConfig } from 'vite';

// `npm run dev` serves the page from source and passes API calls on to a running gisgrid.
const PAGES = ['index', 'plans', 'workbench', 'compare', 'dispatch', 'place', 'people', 'history'];
const service = 'http://127.0.0.1:8000';

export default defineConfig({
  base: './',
  build: {
    outDir: '../api/static',
    emptyOutDir: true,
    target: 'es2022',
    // The page's content security policy allows no inlined fonts or scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rollupOptions: { input: Object.fromEntries(PAGES.map((page) => [page, `${page}.html`])) },
  },
  server: { proxy: { '/api': service, '/wms': service, '/ogc': service } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
