import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** Signalbox, with the configuration of ../clock, stands behind one path of Vite's own server. */
const proxy = { '/whattimeisit': process.env.CLOCK_URL ?? 'http://127.0.0.1:8080' };

export default defineConfig({ plugins: [svelte()], server: { proxy }, preview: { proxy } });
