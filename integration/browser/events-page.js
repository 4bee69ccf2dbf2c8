// Runs in a page: an EventSource of its own, without anything of Signalbox.
globalThis.heard = [];
globalThis.told = [];
globalThis.opened = 0;

globalThis.listen = (path) => {
  const source = new EventSource(path);
  globalThis.source = source;
  source.addEventListener('open', () => {
    globalThis.opened += 1;
  });
  for (const name of ['message', 'goal', 'gap', 'snapshot']) {
    source.addEventListener(name, ({ data, lastEventId }) => {
      globalThis.heard.push(JSON.parse(data));
      globalThis.told.push({ name, lastEventId });
    });
  }
};

globalThis.report = () => {
  const { heard, told, opened, source } = globalThis;
  return { heard, told, opened, state: source.readyState };
};
