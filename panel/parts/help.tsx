import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Dialog } from './dialog.tsx';

const KEYS = [
  { keys: ['/'], does: 'to the search box' },
  { keys: ['↑', '↓', 'Page ↑', 'Page ↓', 'Home', 'End'], does: 'from row to row of a list' },
  { keys: ['Enter'], does: 'opens the chosen row' },
  { keys: ['Esc'], does: 'closes what is open; leaves the search box' },
  { keys: ['?'], does: 'this page' },
] as const;

/** Where a key is a letter of a text, it is no command. */
const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');

/** The keys that mean the same on every page. */
export function Help(): VNode | null {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    function press(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      if (event.key === '?') setOpen(true);
      else if (event.key === '/') document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
      else return;
      event.preventDefault();
    }
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
  return (
    <>
      <footer>
        <button type="button" class="quiet" onClick={() => setOpen(true)}>
          Keys <kbd>?</kbd>
        </button>
      </footer>
      {isOpen && (
        <Dialog title="Keys" onClose={() => setOpen(false)}>
          <dl class="keys">
            {KEYS.map(({ keys, does }) => (
              <div key={does}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <p class="fine">
            Every view is an address: copy it, and whoever may look here sees the same list, filter and
            question.
          </p>
          <form method="dialog">
            <button type="submit">Close</button>
          </form>
        </Dialog>
      )}
    </>
  );
}
