import { defineConfig } from 'vite';
import { notificationsApplication } from '../notifications/vite-plugin.js';

export default defineConfig({ plugins: [notificationsApplication()] });
