import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { notificationsApplication } from '../notifications/vite-plugin.js';

export default defineConfig({ plugins: [svelte(), notificationsApplication()] });
