import { startApplication } from './application.js';

/**
 * Runs the application in Vite's own server, and has Signalbox behind it, as a proxy would: one origin, one command.
 */
export function notificationsApplication() {
  let handle;
  const use = ({ middlewares }) => void middlewares.use(handle);
  return {
    name: 'notifications-application',
    async config(_, { command }) {
      if (command === 'build') return undefined;
      const application = await startApplication();
      handle = application.handle;
      const proxy = { '/signalbox': { target: application.url, ws: true } };
      return { server: { proxy }, preview: { proxy } };
    },
    configureServer: use,
    configurePreviewServer: use,
  };
}
