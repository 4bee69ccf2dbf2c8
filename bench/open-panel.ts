/** Of no other server that is likely to be here. */
const PORT = 48_090;
const TOKEN = 'the-admin-token-of-the-benchmark';
const LIST_MS = 2_000;

/** What has a server serve its panel. */
export const PANEL_ENV = {
  SIGNALBOX_ADMIN_ENABLED: 'true',
  SIGNALBOX_ADMIN_PORT: String(PORT),
  SIGNALBOX_ADMIN_TOKEN: TOKEN,
};

/**
 * Asks the server what an open page of sockets asks it: the overview as a stream, and a list every two seconds. What it
 * gives ends it.
 */
export async function openPanel(): Promise<() => void> {
  const controller = new AbortController();
  const ask = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${PORT}/inspect/api${path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: controller.signal,
    });
  const ignored = (): void => {};
  const stream = await ask('/overview/stream');
  if (stream.status !== 200) throw new Error(`the panel answered ${stream.status}`);
  void stream.body?.pipeTo(new WritableStream()).catch(ignored);
  const list = (): void => {
    ask('/sockets?sort=lagMs&isDescending=true&limit=100')
      .then((response) => response.arrayBuffer())
      .catch(ignored);
  };
  list();
  const timer = setInterval(list, LIST_MS);
  return () => {
    clearInterval(timer);
    controller.abort();
  };
}
