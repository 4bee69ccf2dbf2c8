import { useState } from 'preact/hooks';

const KEY = 'signalbox.theme';
export type Theme = 'system' | 'light' | 'dark';
const NEXT: Readonly<Record<Theme, Theme>> = { system: 'dark', dark: 'light', light: 'system' };

/** A browser may forbid to keep anything; then it is the system's. */
function kept(): Theme {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === 'light' || theme === 'dark' ? theme : 'system';
  } catch {
    return 'system';
  }
}

export function applyTheme(theme: Theme = kept()): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

/** What is chosen, and the way to the next choice. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(kept);
  const turn = (): void => {
    const next = NEXT[theme];
    try {
      if (next === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // It holds until the page is loaded again.
    }
    applyTheme(next);
    setTheme(next);
  };
  return [theme, turn];
}
