import { readable } from 'svelte/store';

const RETRY_MS = 1_000;

/**
 * What a stream says last, as a store: `{ data, isOpen }`. It is open while somebody looks at the store, and comes back by
 * itself.
 */
export const stream = (url) =>
  readable({ data: undefined, isOpen: false }, (_set, update) => {
    let source;
    let timer;
    const open = () => {
      source = new EventSource(url);
      source.addEventListener('open', () => update((state) => ({ ...state, isOpen: true })));
      source.addEventListener('error', () => {
        update((state) => ({ ...state, isOpen: false }));
        // It tries again by itself, but not after a proxy has answered that the server is down.
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, RETRY_MS);
      });
      source.addEventListener('message', ({ data }) => update(() => ({ data, isOpen: true })));
    };
    open();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  });
